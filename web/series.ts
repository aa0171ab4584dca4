import type { SamplePoint } from "../src/types.ts";
import type { Band } from "./bands.ts";
import { bandBytes, bandsOf, loadLineBytes } from "./bands.ts";

/** A stretch without samples, in epoch milliseconds. */
export interface Gap {
  from: number;
  to: number;
}

/** What the memory chart draws: columns of equal length, one row a point, a row of nothing in each gap. */
export interface Series {
  times: number[];
  bands: Band[];
  /** Upper edge of each band, bottom band first. */
  edges: (number | null)[][];
  loadLine: (number | null)[];
  swapUsed: (number | null)[];
  swapOut: (number | null)[];
  gaps: Gap[];
  totalBytes?: number;
  swapTotalBytes?: number;
}

// A sampler that skips a beat under load is not a gap; five seconds of silence are.
const shortestGapMs = 5000;

/** Turns samples, oldest first, into the chart's columns. */
export function toSeries(points: readonly SamplePoint[], bands: Band[] = bandsOf(points)): Series {
  const series: Series = {
    times: [],
    bands,
    edges: bands.map(() => []),
    loadLine: [],
    swapUsed: [],
    swapOut: [],
    gaps: [],
    totalBytes: largest(points, (point) => point.totalBytes),
    swapTotalBytes: largest(points, (point) => point.swapTotalBytes),
  };
  const longestStepMs = Math.max(shortestGapMs, 3 * usualStepMs(points));
  let previous: SamplePoint | undefined;
  for (const point of points) {
    if (previous && point.takenAt - previous.takenAt > longestStepMs) {
      series.gaps.push({ from: previous.takenAt, to: point.takenAt });
      pushRow(series, previous.takenAt + 1);
    }
    pushRow(series, point.takenAt, point);
    previous = point;
  }
  return series;
}

function pushRow(series: Series, at: number, point?: SamplePoint): void {
  const bytes = point && bandBytes(point, series.bands);
  let edge = 0;
  series.times.push(at);
  for (const [index, column] of series.edges.entries()) {
    edge += bytes?.[index] ?? 0;
    column.push(bytes ? edge : null);
  }
  series.loadLine.push((point && bytes && loadLineBytes(point, edge)) ?? null);
  series.swapUsed.push(point?.swapUsedBytes ?? null);
  series.swapOut.push(point?.max?.swapOutBytesPerSecond ?? point?.swapOutBytesPerSecond ?? null);
}

function usualStepMs(points: readonly SamplePoint[]): number {
  const steps = points
    .slice(1)
    .map((point, index) => point.takenAt - (points[index]?.takenAt ?? point.takenAt));
  return steps.toSorted((a, b) => a - b)[Math.floor((steps.length - 1) / 2)] ?? 0;
}

function largest(
  points: readonly SamplePoint[],
  field: (point: SamplePoint) => number | undefined,
): number | undefined {
  return points.reduce<number | undefined>((most, point) => {
    const value = field(point);
    return value === undefined || (most !== undefined && most >= value) ? most : value;
  }, undefined);
}
