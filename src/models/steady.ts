/** Has a runner's memory settled after its load? Steady: less than 1 % change over 3 s. */
import type { RunnerSample } from "../types.ts";

const WINDOW_MS = 3000;
const TOLERANCE_RATIO = 0.01;

export interface SteadyWatch {
  /** Feeds one reading; answers true from the first time the last 3 s were steady. */
  feed(sample: RunnerSample, at: number): boolean;
}

export function createSteadyWatch(): SteadyWatch {
  let readings: { at: number; bytes: number }[] = [];
  return {
    feed(sample, at) {
      readings.push({ at, bytes: sample.anonymousBytes + sample.fileBytes + sample.swappedBytes });
      const oldest = readings[0];
      if (oldest === undefined || at - oldest.at < WINDOW_MS) {
        return false;
      }
      const all = readings.map((reading) => reading.bytes);
      readings = readings.filter((reading) => at - reading.at < WINDOW_MS);
      const highest = Math.max(...all);
      return highest > 0 && highest - Math.min(...all) <= highest * TOLERANCE_RATIO;
    },
  };
}
