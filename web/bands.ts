import type { Load, MemorySample } from "../src/types.ts";
import type { Occupancy } from "./occupancy.ts";
import { addParts, loadAt, noParts, partsOf, residentBytes } from "./parts.ts";
import type { RunnerParts } from "./parts.ts";

/** What the memory of a machine is divided into, bottom first. */
export const bandKinds = [
  "other",
  "weights",
  "compute",
  "kvOccupied",
  "kvFree",
  "promptCache",
  "rest",
] as const;

export type BandKind = (typeof bandKinds)[number];

export const bandLabels: Record<BandKind, string> = {
  other: "other programs",
  weights: "weights",
  compute: "compute",
  kvOccupied: "KV occupied",
  kvFree: "KV allocated",
  promptCache: "prompt cache",
  rest: "rest",
};

/** What the bands are told apart by. */
export interface BandContext {
  /** Newest first. */
  loads: readonly Load[];
  occupancy: Occupancy;
}

export type BandBytes = Record<BandKind, number> & { promptCacheLimit?: number };

/** Memory that programs use and that cannot be dropped: total less available. */
export function usedBytes(sample: MemorySample): number | undefined {
  if (sample.totalBytes === undefined || sample.availableBytes === undefined) return undefined;
  return sample.totalBytes - sample.availableBytes;
}

/**
 * Bytes of each band; absent when the sample does not say what is used. File-backed bytes of runners come on top of `used`, because the
 * system counts them as available although dropping them would make the model crawl: so the sum ends exactly `headroom` below the load
 * line.
 */
export function bandBytes(sample: MemorySample, context: BandContext): BandBytes | undefined {
  const used = usedBytes(sample);
  if (used === undefined) return undefined;
  let parts: RunnerParts = noParts;
  let held = 0;
  let promptCacheLimit: number | undefined;
  for (const runner of sample.runners) {
    const load = loadAt(context.loads, runner.model, sample.takenAt);
    const ratio = load ? context.occupancy.ratio(load, sample.takenAt) : 0;
    parts = addParts(parts, partsOf(residentBytes(runner), load?.predicted, ratio));
    held += runner.anonymousBytes + runner.sharedBytes;
    const limit = load?.predicted?.promptCacheLimitBytes;
    if (limit !== undefined) promptCacheLimit = (promptCacheLimit ?? 0) + limit;
  }
  return { other: Math.max(0, used - held), ...parts, promptCacheLimit };
}

/** Where swapping starts on the same scale; moves when a container's limit binds instead of the machine's memory. */
export function loadLineBytes(sample: MemorySample, stackBytes: number): number | undefined {
  const { totalBytes, floorBytes, headroomBytes, limit } = sample;
  if (!limit && totalBytes !== undefined && floorBytes !== undefined) return totalBytes - floorBytes;
  return headroomBytes === undefined ? undefined : stackBytes + headroomBytes;
}

export function stackBytes(bytes: BandBytes): number {
  return bandKinds.reduce((sum, kind) => sum + bytes[kind], 0);
}

/** A GPU's memory by the same bands: what the loads put there, and `other`, whatever else is used. Absent when not told. */
export function gpuBandBytes(
  sample: MemorySample,
  gpuId: string,
  context: BandContext,
): BandBytes | undefined {
  const used = sample.gpus.find(({ id }) => id === gpuId)?.usedBytes;
  if (used === undefined) return undefined;
  let parts: RunnerParts = noParts;
  let left = used;
  // Which device holds which part is known only where there is but one.
  for (const load of sample.gpus.length === 1 ? currentLoads(context.loads, sample.takenAt) : []) {
    const claimed = load.claimedDeviceBytes ?? deviceBytes(load);
    const own = partsOf(
      Math.min(left, claimed),
      load.predicted,
      context.occupancy.ratio(load, sample.takenAt),
      "deviceBytes",
    );
    left -= Math.min(left, claimed);
    parts = addParts(parts, own);
  }
  return { other: left, ...parts };
}

function currentLoads(loads: readonly Load[], at: number): Load[] {
  const models = new Set(loads.map((load) => load.model));
  return [...models].flatMap((model) => loadAt(loads, model, at) ?? []);
}

function deviceBytes({ predicted }: Load): number {
  const splits = [predicted?.weightsBytes, predicted?.kvCacheBytes, predicted?.computeBytes];
  return splits.reduce((sum, split) => sum + (split?.deviceBytes ?? 0), 0);
}
