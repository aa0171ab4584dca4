import type { Forecast, MemorySample } from "../src/types.ts";
import { loadLineBytes } from "./bands.ts";

/** The forecast on the chart's own scale: how high the bands will stand. */
export interface ForecastLine {
  /** The present first. */
  points: { at: number; bytes: number; lowBytes: number; highBytes: number }[];
  /** When the bands reach the load line. */
  crossesAt?: number;
}

/** Absent when there is nothing to draw. `stack` is how high the bands stand now. */
export function forecastLine(
  forecast: Forecast | undefined,
  sample: MemorySample | undefined,
  stack: number | undefined,
): ForecastLine | undefined {
  if (!forecast || !sample || stack === undefined || !forecast.points?.length) return undefined;
  const line = loadLineBytes(sample, stack);
  if (line === undefined) return undefined;
  const seconds = forecast.secondsToSwap?.predicted;
  return {
    points: [
      { at: sample.takenAt, bytes: stack, lowBytes: stack, highBytes: stack },
      ...forecast.points
        .filter(({ atSeconds }) => atSeconds > 0)
        .map(({ atSeconds, headroomBytes, lowBytes, highBytes }) => ({
          at: forecast.madeAt + atSeconds * 1000,
          bytes: line - headroomBytes,
          // The least headroom is the highest stack.
          lowBytes: line - highBytes,
          highBytes: line - lowBytes,
        })),
    ],
    crossesAt: seconds === undefined ? undefined : forecast.madeAt + seconds * 1000,
  };
}

/** How much of the window lies in the future: as far as the forecast goes, at most a quarter. */
export function futureMs(line: ForecastLine | undefined, spanMs: number): number {
  const last = line?.points.at(-1)?.at;
  const first = line?.points[0]?.at;
  if (last === undefined || first === undefined || spanMs > 2 * 3_600_000) return 0;
  return Math.min(last - first, spanMs / 4);
}
