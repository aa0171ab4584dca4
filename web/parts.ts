import type { Load, MemoryEstimate, RunnerSample } from "../src/types.ts";

/** What a runner's memory consists of, in bytes. Derived: the system tells the sum, the load's estimate how it divides. */
export interface RunnerParts {
  weights: number;
  compute: number;
  kvOccupied: number;
  kvFree: number;
  promptCache: number;
  /** What no part accounts for. */
  rest: number;
}

export const noParts: RunnerParts = {
  weights: 0,
  compute: 0,
  kvOccupied: 0,
  kvFree: 0,
  promptCache: 0,
  rest: 0,
};

type Place = "hostBytes" | "deviceBytes";

/**
 * Divides what a runner holds: weights first, as they are read first, then the cells of its context, then computing; what is left is the
 * prompt cache, up to its limit, where the engine has one. `occupiedRatio` is the share of the cells that hold tokens.
 */
export function partsOf(
  bytes: number,
  estimate: MemoryEstimate | undefined,
  occupiedRatio: number,
  place: Place = "hostBytes",
): RunnerParts {
  if (estimate === undefined) return { ...noParts, rest: bytes };
  let left = bytes;
  const take = (most: number): number => {
    const taken = Math.max(0, Math.min(left, most));
    left -= taken;
    return taken;
  };
  const weights = take(estimate.weightsBytes?.[place] ?? 0);
  const cells = take((estimate.kvCacheBytes?.[place] ?? 0) + (estimate.recurrentStateBytes?.[place] ?? 0));
  const own = place === "hostBytes" ? (estimate.outputBytes ?? 0) + (estimate.processBytes ?? 0) : 0;
  const compute = take((estimate.computeBytes?.[place] ?? 0) + own);
  const promptCache = place === "hostBytes" ? take(estimate.promptCacheLimitBytes ?? 0) : 0;
  const kvOccupied = Math.round(cells * Math.min(1, Math.max(0, occupiedRatio)));
  return { weights, compute, kvOccupied, kvFree: cells - kvOccupied, promptCache, rest: left };
}

export function addParts(a: RunnerParts, b: RunnerParts): RunnerParts {
  return {
    weights: a.weights + b.weights,
    compute: a.compute + b.compute,
    kvOccupied: a.kvOccupied + b.kvOccupied,
    kvFree: a.kvFree + b.kvFree,
    promptCache: a.promptCache + b.promptCache,
    rest: a.rest + b.rest,
  };
}

/** All that the process keeps in memory. */
export function residentBytes(runner: RunnerSample): number {
  return runner.anonymousBytes + runner.fileBytes + runner.sharedBytes;
}

// A load's row is begun when its request comes, a sample may have seen the runner a little earlier.
const startToleranceMs = 3000;

/** The load that a model's runner belongs to at a moment. `loads` newest first. */
export function loadAt(loads: readonly Load[], model: string | undefined, at: number): Load | undefined {
  return loads.find(
    (load) =>
      load.model === model &&
      load.startedAt <= at + startToleranceMs &&
      (load.unloadedAt === undefined || load.unloadedAt + startToleranceMs >= at),
  );
}
