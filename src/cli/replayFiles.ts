/** Finds what belongs to a recording: its readings, what is known of it, and the requests beside it. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { findEvent, type Event, type RunTruth } from "../alerts/replayRun.ts";
import { parseCapturedRows } from "../memory/captureRun.ts";
import { parseCapturedRequests } from "../memory/captureRequests.ts";
import { parseRecordedRun, runName } from "../memory/recordedRun.ts";
import type { RunFacts } from "../memory/recording.ts";
import { readRuns } from "../memory/replay.ts";
import { thinned } from "../memory/thin.ts";
import { readRecord } from "../store/readRecord.ts";
import type { MemorySample } from "../types.ts";

/** Memory is read this often, so a recording is played at no finer beat. */
const INTERVAL_MS = 1000;

export interface Recording {
  /** One a second, `takenAt` in ms since the first. */
  samples: MemorySample[];
  truth: RunTruth;
}

/**
 * Reads a recording. Facts about the machine come from a `runs.json` that is named, or lies beside it; what really
 * happened only from one that is named. Throws with the file, the line and what was expected.
 */
export function readRecording(path: string, options: { runsPath?: string; totalBytes?: number }): Recording {
  const name = runName(basename(path));
  const named = options.runsPath === undefined ? undefined : readRuns(options.runsPath, "must be there");
  const runs = named ?? readRuns(join(dirname(path), "runs.json"), "may be missing");
  const facts: RunFacts = { ...runs?.[name] };
  if (options.totalBytes !== undefined) facts.totalBytes = options.totalBytes;
  const recording = /\.(db|sqlite3?)$/i.test(path) ? fromRecord(path) : fromFile(path, name, facts);
  return {
    samples: thinned(recording.samples, INTERVAL_MS),
    truth: {
      ...(told(named?.[name]) ?? findEvent(recording.samples)),
      loads: announced(recording.loads, named?.[name] ?? {}),
      turnsAtSeconds: recording.turnsAtSeconds,
      expectedTurnBytes: recording.expectedTurnBytes,
    },
  };
}

interface Parts {
  samples: MemorySample[];
  loads: RunTruth["loads"];
  turnsAtSeconds: number[];
  expectedTurnBytes?: readonly (number | undefined)[];
}

function fromRecord(path: string): Parts {
  const { samples, loads, turnsAt } = readRecord(path);
  const first = samples[0]?.takenAt ?? 0;
  if (samples.length === 0) throw new Error(`${path} holds no readings of memory`);
  const since = (at: number): number => (at - first) / 1000;
  return {
    samples: samples.map((sample) => ({ ...sample, takenAt: sample.takenAt - first })),
    loads: loads.map((load, index) => ({
      id: String(index),
      model: load.model,
      needBytes: load.needBytes,
      startsAtSeconds: since(load.startedAt),
      endsAtSeconds: load.endedAt === undefined ? undefined : since(load.endedAt),
    })),
    turnsAtSeconds: turnsAt.map(since),
  };
}

function fromFile(path: string, name: string, facts: RunFacts): Parts {
  const text = readText(path);
  const { samples } = parseRecordedRun(text, { fileName: basename(path), runs: { [name]: facts } });
  const beside = join(dirname(path), name);
  const requestsPath = `${beside}.requests.jsonl`;
  if (!/\.jsonl$/i.test(path) || !existsSync(requestsPath)) {
    return { samples, loads: [], turnsAtSeconds: [] };
  }
  const { firstAtMs } = parseCapturedRows(text);
  const logPath = `${beside}.server.log`;
  const requests = parseCapturedRequests(
    readText(requestsPath),
    existsSync(logPath) ? readText(logPath) : undefined,
  );
  const since = (ms: number): number => (ms - firstAtMs) / 1000;
  return {
    samples,
    loads: requests.loads.map((load, index) => ({
      id: String(index),
      model: load.model,
      needBytes: load.needBytes,
      startsAtSeconds: since(load.startedAtMs),
      endsAtSeconds: load.endedAtMs === undefined ? undefined : since(load.endedAtMs),
    })),
    turnsAtSeconds: requests.turnsAtMs.map(since),
    expectedTurnBytes: requests.expectedTurnBytes,
  };
}

function told(facts: RunFacts | undefined): Event | undefined {
  return facts?.event === undefined
    ? undefined
    : { event: facts.event, eventAtSeconds: facts.eventAtSeconds };
}

/** A recorded request may have been stamped a little after its load was asked for. */
const STAMP_SECONDS = 5;

/** What the truth says of loads joins what the requests say. */
function announced(loads: RunTruth["loads"], facts: RunFacts): RunTruth["loads"] {
  const { loadStartsAtSeconds: start, loadUntilSeconds: end } = facts;
  if (start === undefined) {
    return end === undefined || loads.length > 0
      ? loads
      : [{ id: "announced", model: "a model", startsAtSeconds: 0, endsAtSeconds: end }];
  }
  const known = loads.find(
    ({ startsAtSeconds }) =>
      startsAtSeconds >= start - STAMP_SECONDS && startsAtSeconds <= start + STAMP_SECONDS,
  );
  if (known === undefined) {
    return [...loads, { id: "announced", model: "a model", startsAtSeconds: start, endsAtSeconds: end }];
  }
  return loads.map((load) =>
    load === known ? { ...load, startsAtSeconds: Math.min(start, load.startsAtSeconds) } : load,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
