import type { MemorySample, SamplePoint } from "../src/types.ts";

/** The windows of the memory chart. */
export const chartWindows = [
  { name: "10 min", spanMs: 10 * 60_000 },
  { name: "1 h", spanMs: 60 * 60_000 },
  { name: "24 h", spanMs: 24 * 60 * 60_000 },
  { name: "30 d", spanMs: 30 * 24 * 60 * 60_000 },
] as const;

/** How many points a window is drawn with: more than a screen has columns to tell apart is wasted. */
export const pointsPerWindow = 600;

/**
 * Adds a live sample to a window and drops what has left it. In long windows a sample that comes sooner than one step replaces the last
 * one, keeping the lower headroom and the higher rates, so that no dip or burst is lost and the list stays as long as it was.
 */
export function appendSample(
  points: readonly SamplePoint[],
  sample: MemorySample,
  spanMs: number,
): SamplePoint[] {
  const kept = points.filter(
    (point) => point.takenAt > sample.takenAt - spanMs && point.takenAt < sample.takenAt,
  );
  const last = kept.at(-1);
  const before = kept.at(-2);
  const stepMs = spanMs / pointsPerWindow;
  if (!last || !before || sample.takenAt - before.takenAt > stepMs) return [...kept, sample];
  return [...kept.slice(0, -1), merge(last, sample)];
}

function merge(point: SamplePoint, sample: MemorySample): SamplePoint {
  return {
    ...sample,
    min: { headroomBytes: least(point.min?.headroomBytes ?? point.headroomBytes, sample.headroomBytes) },
    max: {
      swapOutBytesPerSecond: most(
        point.max?.swapOutBytesPerSecond ?? point.swapOutBytesPerSecond,
        sample.swapOutBytesPerSecond,
      ),
    },
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function most(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
