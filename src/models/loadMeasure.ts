/** Which reading of a runner's memory is that of its load. */
import type { RunnerSample } from "../types.ts";

/** A reading later than this after the load says more about the first prompt than about the load. */
const LATEST_READING_MS = 1500;

/** What comes later is what prompts added: the load itself is what was there when it ended. */
export function measureOf(
  readings: readonly (RunnerSample & { takenAt: number })[],
  endedAt: number,
): RunnerSample | undefined {
  const reading = readings.find(({ takenAt }) => takenAt >= endedAt);
  if (reading === undefined || reading.takenAt - endedAt > LATEST_READING_MS) {
    return undefined;
  }
  const { takenAt: _, ...runner } = reading;
  return runner;
}
