import type { MemorySample } from "../types.ts";

/** What `runs.json` says of one recording, under the name of its file without `.csv`. */
export interface RunFacts {
  totalBytes?: number;
  /** All mapped files are weights in use: they are not available, whatever the kernel says. */
  mappedWeights?: boolean;
  /** The growing program lives in a memory group with this limit … */
  groupLimitBytes?: number;
  /** … and this column, in bytes, is what the group cannot give back. */
  groupUsageColumn?: string;
  /** What really happened, and when: seconds from the first reading. `null`: nothing did. */
  event?: "swap" | "thrash" | null;
  eventAtSeconds?: number;
  /** A model was loading until then … */
  loadUntilSeconds?: number;
  /** … or began to load here, as its request said. */
  loadStartsAtSeconds?: number;
}

export interface RecordedRun {
  /** In order; `takenAt` is milliseconds since the first. */
  samples: MemorySample[];
  totalBytes: number;
}

/** Milliseconds since the first row; throws at a row that does not come after the one before it. */
export function relativeTimes(
  rows: readonly { line: number }[],
  timesMs: readonly (number | undefined)[],
): number[] {
  const first = timesMs[0] ?? 0;
  let before = Number.NEGATIVE_INFINITY;
  return rows.map(({ line }, index) => {
    const timeMs = timesMs[index];
    if (timeMs === undefined) throw new Error(`line ${line}: the time is missing`);
    if (timeMs <= before) throw new Error(`line ${line}: the time does not grow from the row before`);
    before = timeMs;
    return Math.round(timeMs - first);
  });
}
