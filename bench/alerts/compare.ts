/** The same recorded seconds through our detector and the others: first warning, lead, false alarms. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { replayRun, type Event } from "../../src/alerts/replayRun.ts";
import { readRecording } from "../../src/cli/replayFiles.ts";
import type { MemorySample } from "../../src/types.ts";
import { noisyMemory } from "./noise.ts";
import { referenceDetectors } from "./references.ts";

interface Outcome {
  leadSeconds: number | null;
  falseAlarms: number;
}

export interface RunComparison {
  run: string;
  event: string;
  outcomes: Record<string, Outcome>;
}

export interface AlertComparison {
  detectors: { name: string; rule: string }[];
  runs: RunComparison[];
  noise: { hours: number; falseAlarms: Record<string, number> };
}

/** The recordings that are compared, each folder with its runs.json. */
export const ALERT_FIXTURES: readonly string[] = ["memory-runs", "swap-captures", "real-event"].map((name) =>
  join(import.meta.dirname, "../../test/fixtures", name),
);

const OURS = "Plimsoll";
const PROOF_SECONDS = 120;
const ENDED_BEFORE_SECONDS = 10;
const NOISE_HOURS = 24;

/** `folders`: of recordings, each with its runs.json. */
export function compareAlerts(folders: readonly string[]): AlertComparison {
  const runs = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => /\.(csv|samples\.jsonl)$/.test(file))
      .toSorted()
      .map((file) => compareRun(folder, file)),
  );
  const quiet = [...noisyMemory({ hours: NOISE_HOURS, seed: 1 })];
  return {
    detectors: [
      { name: OURS, rule: "levels, trends, turns, announced loads; warns" },
      ...referenceDetectors().map(({ name, rule }) => ({ name, rule })),
    ],
    runs,
    noise: {
      hours: NOISE_HOURS,
      falseAlarms: Object.fromEntries(
        Object.entries(outcomesOf(quiet, { event: null, loads: [], turnsAtSeconds: [] })).map(
          ([name, { falseAlarms }]) => [name, falseAlarms],
        ),
      ),
    },
  };
}

function compareRun(folder: string, file: string): RunComparison {
  const { samples, truth } = readRecording(join(folder, file), { runsPath: join(folder, "runs.json") });
  const seen = file.includes("noswap")
    ? samples.map((sample) => ({ ...sample, swapTotalBytes: 0 }))
    : samples;
  return {
    run: file.replace(/(\.samples)?\.(csv|jsonl)$/, ""),
    event: truth.event === null ? "none" : `${truth.event} at ${truth.eventAtSeconds} s`,
    outcomes: outcomesOf(seen, truth),
  };
}

function outcomesOf(
  samples: readonly MemorySample[],
  truth: Parameters<typeof replayRun>[1],
): Record<string, Outcome> {
  const ours = replayRun(samples, truth, () => ({ text: "", causes: [], remedies: [] }));
  const outcomes: Record<string, Outcome> = {
    [OURS]: { leadSeconds: ours.leadSeconds, falseAlarms: ours.falseAlarms },
  };
  for (const detector of referenceDetectors()) {
    outcomes[detector.name] = scored(
      firingSpans(samples, (sample) => detector.fires(sample)),
      truth,
    );
  }
  return outcomes;
}

interface Span {
  from: number;
  to: number;
}

function firingSpans(samples: readonly MemorySample[], fires: (sample: MemorySample) => boolean): Span[] {
  const spans: Span[] = [];
  let open = false;
  for (const sample of samples) {
    const at = sample.takenAt / 1000;
    const now = fires(sample);
    if (now && !open) spans.push({ from: at, to: Infinity });
    const last = spans.at(-1);
    if (!now && open && last !== undefined) last.to = at;
    open = now;
  }
  return spans;
}

/** By the same rule as our own episodes. */
function scored(spans: readonly Span[], { event, eventAtSeconds }: Event): Outcome {
  const at = event === null ? undefined : eventAtSeconds;
  const hit =
    at === undefined
      ? undefined
      : spans.findLast(({ from, to }) => from <= at && to >= at - ENDED_BEFORE_SECONDS);
  const isFalse = (span: Span): boolean => {
    if (span === hit) return false;
    if (at === undefined) return true;
    return span.from < at && at > Math.max(span.to, span.from + PROOF_SECONDS);
  };
  return {
    leadSeconds: hit === undefined || at === undefined ? null : Math.round((at - hit.from) * 10) / 10,
    falseAlarms: spans.filter(isFalse).length,
  };
}
