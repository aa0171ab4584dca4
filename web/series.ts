import type { MemorySample, SamplePoint } from "../src/types.ts";
import type { BandBytes, BandContext, BandKind } from "./bands.ts";
import { bandBytes, bandKinds, gpuBandBytes, loadLineBytes, stackBytes } from "./bands.ts";

/** A stretch without samples, in epoch milliseconds. */
export interface Gap {
  from: number;
  to: number;
}

/** What a memory chart draws: columns of equal length, one row a point, a row of nothing in each gap. */
export interface Series {
  times: number[];
  /** Bottom first; those that are empty all the time are left out. */
  kinds: BandKind[];
  /** Upper edge of each band. */
  edges: (number | null)[][];
  loadLine: (number | null)[];
  /** How high the prompt cache may grow on top of what lies below it. */
  cacheLimit: (number | null)[];
  swapUsed: (number | null)[];
  swapOut: (number | null)[];
  gaps: Gap[];
  totalBytes?: number;
  swapTotalBytes?: number;
  promptCacheLimitBytes?: number;
}

export const emptySeries: Series = {
  times: [],
  kinds: [],
  edges: [],
  loadLine: [],
  cacheLimit: [],
  swapUsed: [],
  swapOut: [],
  gaps: [],
};

// A sampler that skips a beat under load is not a gap; five seconds of silence are.
const shortestGapMs = 5000;
/** Less than this has no band of its own: no line would be thin enough. */
const shownFrom = 16 * 1024 ** 2;

interface Row {
  at: number;
  point?: SamplePoint;
  bytes?: BandBytes;
}

/** Turns samples, oldest first, into the chart's columns. */
export function toSeries(points: readonly SamplePoint[], context: BandContext): Series {
  const { rows, gaps } = rowsOf(points, (point) => bandBytes(point, context));
  const series = columnsOf(rows, gaps);
  for (const { point, bytes } of rows) {
    series.loadLine.push((point && bytes && loadLineBytes(point, stackBytes(bytes))) ?? null);
    series.cacheLimit.push(cacheTop(bytes));
    series.swapUsed.push(point?.swapUsedBytes ?? null);
    series.swapOut.push(point?.max?.swapOutBytesPerSecond ?? point?.swapOutBytesPerSecond ?? null);
  }
  series.totalBytes = largest(points, (point) => point.totalBytes);
  series.swapTotalBytes = largest(points, (point) => point.swapTotalBytes);
  series.promptCacheLimitBytes = rows.findLast(({ bytes }) => bytes)?.bytes?.promptCacheLimit;
  return series;
}

/** The same for one GPU. It has no load line: what does not fit is put on the host beforehand. */
export function toGpuSeries(points: readonly SamplePoint[], gpuId: string, context: BandContext): Series {
  const { rows, gaps } = rowsOf(points, (point) => gpuBandBytes(point, gpuId, context));
  const series = columnsOf(rows, gaps);
  for (const column of [series.loadLine, series.cacheLimit, series.swapUsed, series.swapOut]) {
    for (const _ of rows) column.push(null);
  }
  series.totalBytes = largest(points, (point) => point.gpus.find(({ id }) => id === gpuId)?.totalBytes);
  return series;
}

function columnsOf(rows: readonly Row[], gaps: Gap[]): Series {
  const kinds = bandKinds.filter(
    (kind) => kind === "other" || rows.some(({ bytes }) => (bytes?.[kind] ?? 0) >= shownFrom),
  );
  const series: Series = {
    ...emptySeries,
    kinds,
    gaps,
    times: rows.map(({ at }) => at),
    edges: kinds.map(() => []),
    loadLine: [],
    cacheLimit: [],
    swapUsed: [],
    swapOut: [],
  };
  for (const { bytes } of rows) {
    let edge = 0;
    let column = 0;
    for (const kind of bandKinds) {
      edge += bytes?.[kind] ?? 0;
      // What has no band of its own still holds up those above it.
      if (kinds[column] === kind) series.edges[column++]?.push(bytes ? edge : null);
    }
  }
  return series;
}

function rowsOf(
  points: readonly SamplePoint[],
  bytesOf: (point: MemorySample) => BandBytes | undefined,
): { rows: Row[]; gaps: Gap[] } {
  const rows: Row[] = [];
  const gaps: Gap[] = [];
  const longestStepMs = Math.max(shortestGapMs, 3 * usualStepMs(points));
  let previous: SamplePoint | undefined;
  for (const point of points) {
    if (previous && point.takenAt - previous.takenAt > longestStepMs) {
      gaps.push({ from: previous.takenAt, to: point.takenAt });
      rows.push({ at: previous.takenAt + 1 });
    }
    rows.push({ at: point.takenAt, point, bytes: bytesOf(point) });
    previous = point;
  }
  return { rows, gaps };
}

function cacheTop(bytes: BandBytes | undefined): number | null {
  if (bytes?.promptCacheLimit === undefined || bytes.promptCache < shownFrom) return null;
  return stackBytes(bytes) - bytes.rest - bytes.promptCache + bytes.promptCacheLimit;
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
