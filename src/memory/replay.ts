import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import type { MemorySample } from "../types.ts";
import { parseRecordedRun } from "./recordedRun.ts";
import type { RecordedRun, RunFacts } from "./recording.ts";
import type { MemorySource } from "./sampler.ts";
import { meanRates } from "./thin.ts";

/**
 * Reads a recording from disk, with the `runs.json` beside it when there is one.
 * Throws with the path when it cannot be read, with file and line when it makes no sense.
 */
export function readRecordedRun(path: string): RecordedRun {
  const runs = readRuns(join(dirname(path), "runs.json"), "may be missing");
  return parseRecordedRun(readText(path), { fileName: basename(path), runs });
}

export interface ReplayOptions {
  samples: readonly MemorySample[];
  /** What it is called in messages. */
  name: string;
  now: () => number;
  monotonic: () => number;
}

/**
 * Plays recorded samples in place of a machine, at the speed they were recorded and from the first reading on. Each
 * reading gives the newest sample that is due, with the mean of the rates since the reading before; when the recording is
 * over there are no more samples and a problem says so.
 */
export function createReplaySource(options: ReplayOptions): MemorySource {
  const { samples, monotonic } = options;
  const lastIndex = samples.length - 1;
  const ending = `the recording ${options.name} is over: no more readings`;
  let startedMs: number | undefined;
  let playedIndex = -1;

  const isOver = (): boolean => playedIndex >= lastIndex;
  const dueIndex = (): number => {
    startedMs ??= monotonic();
    const positionMs = monotonic() - startedMs;
    let index = playedIndex;
    for (let next = samples[index + 1]; next !== undefined && next.takenAt <= positionMs;) {
      index += 1;
      next = samples[index + 1];
    }
    return index;
  };

  return {
    state: "replay",
    read: () => {
      const index = dueIndex();
      const sample = samples[index];
      if (sample === undefined || index === playedIndex) return undefined;
      const rates = meanRates(samples, playedIndex, index);
      playedIndex = index;
      return {
        ...sample,
        ...rates,
        takenAt: options.now(),
        problems: isOver() ? [...sample.problems, ending] : sample.problems,
      };
    },
    runners: () => [],
    rescan: () => {},
    problems: () => (isOver() ? [ending] : []),
    setDeviceInUse: () => {},
    close: async () => {},
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`the recorded memory ${path} cannot be read: check PLIMSOLL_MEMORY_SOURCE`, {
      cause: error,
    });
  }
}

/** The `runs` of a `runs.json`. Beside a recording it may be missing; a broken one, or one that was named, may not. */
export function readRuns(
  path: string,
  missing: "may be missing" | "must be there",
): Record<string, RunFacts> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (missing === "may be missing") return undefined;
    throw new Error(`${path} cannot be read: expected the truth of recorded runs, as runs.json has it`, {
      cause: error,
    });
  }
  try {
    const parsed: { runs?: Record<string, RunFacts> } = JSON.parse(text);
    return parsed.runs;
  } catch (error) {
    throw new Error(`${path} is not valid JSON`, { cause: error });
  }
}
