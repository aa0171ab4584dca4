/**
 * How many bytes are left before swapping starts: E − F.
 *
 * E is what can still be used, F the floor at which the kernel begins to push programs out. Both exist once for the
 * machine and once for each memory group with a limit; the one with the least left above its floor decides.
 */
export interface Headroom {
  headroomBytes: number;
  floorBytes: number;
}

/** A memory group with a limit: a container, a service with `MemoryMax=`, a slice above it. */
export interface GroupUse {
  limitBytes: number;
  /** What cannot be reclaimed without swapping or thrashing. Page cache fills a group to its limit and says nothing. */
  usedBytes: number;
}

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/** Swapping starts about here: 3 % of memory, but 3 % of 8 GiB is too little and 3 % of 256 GiB is a whole model. */
export function hostFloorBytes(totalBytes: number): number {
  return Math.round(Math.min(Math.max(totalBytes * 0.03, 256 * MEBIBYTE), 2 * GIBIBYTE));
}

/**
 * Linux: `min(available − H, limit − unreclaimable of every group)` above its floor.
 * `hotMappedBytes` (H) is file-backed weights in use: the kernel counts them as available, yet each token reads them
 * all, so dropping them means reading the disk once a token.
 */
export function linuxHeadroom(host: {
  totalBytes?: number;
  availableBytes?: number;
  hotMappedBytes: number;
  groups: readonly GroupUse[];
}): Headroom | undefined {
  if (host.totalBytes === undefined || host.availableBytes === undefined) return undefined;
  const machine = above(host.availableBytes - host.hotMappedBytes, hostFloorBytes(host.totalBytes));
  return host.groups
    .map((group) => above(group.limitBytes - group.usedBytes, Math.round(group.limitBytes * 0.03)))
    .reduce((least, bound) => (bound.headroomBytes < least.headroomBytes ? bound : least), machine);
}

/**
 * macOS: with N = active + inactive + free + speculative and A = N + compressor, XNU starts to swap at N < 0.4 A
 * (`doc/vm/memorystatus_notify.md`), so E = N − 0.4 A; the floor is 2 % of memory.
 */
export function macHeadroom(host: {
  totalBytes: number;
  reusableBytes: number;
  compressorBytes: number;
}): Headroom {
  const usable = host.reusableBytes - 0.4 * (host.reusableBytes + host.compressorBytes);
  return above(Math.round(usable), Math.round(host.totalBytes * 0.02));
}

/**
 * Windows: loads fail when the commit limit is reached, even while memory is free, so
 * E = min(available, commit limit − committed); the floor is 5 % of memory.
 */
export function windowsHeadroom(host: {
  totalBytes: number;
  availableBytes: number;
  committedBytes: number;
  commitLimitBytes: number;
}): Headroom {
  const usable = Math.min(host.availableBytes, host.commitLimitBytes - host.committedBytes);
  return above(usable, Math.round(host.totalBytes * 0.05));
}

function above(usableBytes: number, floorBytes: number): Headroom {
  return { headroomBytes: usableBytes - floorBytes, floorBytes };
}

/**
 * H: file-backed bytes of the runners, each weight file once however many runners map it, and never more than the
 * machine has mapped at all.
 */
export function hotMappedBytes(
  runners: readonly { pid: number; blobDigest?: string; fileBytes: number }[],
  mappedBytes: number | undefined,
): number {
  const byFile = new Map<string, number>();
  for (const runner of runners) {
    const file = runner.blobDigest ?? `pid ${runner.pid}`;
    byFile.set(file, Math.max(byFile.get(file) ?? 0, runner.fileBytes));
  }
  let total = 0;
  for (const bytes of byFile.values()) total += bytes;
  return mappedBytes === undefined ? total : Math.min(total, mappedBytes);
}
