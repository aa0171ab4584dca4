/** Who holds memory, and who takes more of it: the loaded models by part, and everything else. */
import { trendOver, type TrendPoint } from "../predict/forecastTrend.ts";
import { residentBytes } from "../predict/runnerBytes.ts";
import type { Episode, LoadedModel, MemorySample } from "../types.ts";

export interface Contributors {
  feed(sample: MemorySample, leftBytes: number, capacityBytes: number, atMs: number): void;
  /** Bytes per second that each takes now, the largest first; who stands still is left out. */
  rates(): { name: string; bytesPerSecond: number }[];
  restart(): void;
}

const OTHERS = "other programs";
/** As long as the slow trend of headroom looks back, so that both tell of the same fall. */
const WINDOW_MS = 20_000;
/** Every second reading is enough for a slope, at a quarter of the cost. */
const STEP_MS = 1900;
/** Less than this is trembling. */
const LEAST_BYTES_PER_SECOND = 64 * 1024;
const MOST_SERIES = 16;

/** Fed with every reading, whoever asks. */
export function createContributors(): Contributors {
  const series = new Map<string, TrendPoint[]>();
  let fedAtMs = -Infinity;

  return {
    feed(sample, leftBytes, capacityBytes, atMs) {
      if (atMs - fedAtMs < STEP_MS) return;
      fedAtMs = atMs;
      const now = new Map<string, number>();
      for (const runner of sample.runners) {
        const name = runner.model ?? `runner ${runner.pid}`;
        now.set(name, (now.get(name) ?? 0) + residentBytes(runner));
      }
      const runners = [...now.values()].reduce((sum, bytes) => sum + bytes, 0);
      now.set(OTHERS, Math.max(0, capacityBytes - leftBytes - runners));
      for (const [name, bytes] of [...now].slice(0, MOST_SERIES)) {
        const points = series.get(name) ?? [];
        points.push({ atMs, bytes });
        while ((points[0]?.atMs ?? atMs) < atMs - WINDOW_MS) points.shift();
        series.set(name, points);
      }
      for (const name of series.keys()) if (!now.has(name)) series.delete(name);
    },
    rates: () =>
      [...series]
        .map(([name, points]) => ({
          name,
          bytesPerSecond: Math.round(trendOver(points, WINDOW_MS, 4)?.slope ?? 0),
        }))
        .filter(({ bytesPerSecond }) => Math.abs(bytesPerSecond) >= LEAST_BYTES_PER_SECOND)
        .toSorted((a, b) => b.bytesPerSecond - a.bytesPerSecond),
    restart: () => series.clear(),
  };
}

const MOST_CAUSES = 3;

/** The three largest holders: models by part where the parts are known, and what everything else has. */
export function largestOf(
  models: readonly LoadedModel[],
  sample: MemorySample,
  { leftBytes, capacityBytes }: { leftBytes: number; capacityBytes: number },
): Episode["causes"] {
  const known = models.filter(({ measured }) => measured !== undefined);
  const unnamed = sample.runners.filter(({ pid }) => !known.some(({ measured }) => measured?.pid === pid));
  const parts = [
    ...known.flatMap(partsOf),
    ...unnamed.map((runner) => ({
      name: runner.model ?? `runner ${runner.pid}`,
      bytes: residentBytes(runner),
    })),
  ];
  const runners = sample.runners.reduce((sum, runner) => sum + residentBytes(runner), 0);
  const others = { name: OTHERS, bytes: Math.max(0, capacityBytes - leftBytes - runners) };
  return [...parts, others]
    .map(({ name, bytes }) => ({ name, bytes: Math.round(bytes) }))
    .filter(({ bytes }) => bytes > 0)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, MOST_CAUSES);
}

/** Weights, cache and what grew since, as far as they are known; else the runner as one. */
function partsOf({ name, measured, predicted, growth }: LoadedModel): Episode["causes"] {
  if (measured === undefined) return [];
  const held = residentBytes(measured);
  const weights = predicted?.weightsBytes?.hostBytes;
  if (weights === undefined) return [{ name, bytes: held }];
  const cache = predicted?.kvCacheBytes.hostBytes ?? 0;
  const prompts = growth?.promptCacheBytes ?? 0;
  return [
    { name: `${name}: weights`, bytes: Math.min(weights, held) },
    { name: `${name}: KV cache`, bytes: Math.min(cache, Math.max(0, held - weights)) },
    ...(prompts > 0 ? [{ name: `${name}: prompt cache`, bytes: prompts }] : []),
    { name: `${name}: the rest`, bytes: Math.max(0, held - weights - cache - prompts) },
  ];
}
