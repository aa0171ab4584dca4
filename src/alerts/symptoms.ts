/** What is measured rather than expected: pages leaving for swap, files read again and again. */
import type { MemorySample } from "../types.ts";

export interface Symptoms {
  feed(sample: MemorySample, capacityBytes: number, atMs: number): void;
  /** When what is confirmed now began: pages leave for a moment before one can be sure. */
  sinceMs(): number | undefined;
  now(): { swapsOut: boolean; onlyParks: boolean; thrashes: boolean; reclaims: boolean };
  restart(): void;
}

const MEBIBYTE = 1024 ** 2;
const SWAP_BYTES_PER_SECOND = MEBIBYTE;
/** One burst of so much, while little is left, is no tidying up. */
const BURST_BYTES_PER_SECOND = 16 * MEBIBYTE;
const REFAULT_BYTES_PER_SECOND = 10 * MEBIBYTE;
/** Share of the time in which programs wait: without that, nobody misses what is re-read. */
const PRESSURE_RATIO = 0.1;

/**
 * Swap-out counts from 1 MiB/s in two of three readings, re-reading from 10 MiB/s in three in a row while programs
 * wait for a tenth of the time: single readings of either are a kernel tidying up, but for a burst of 16 MiB/s while
 * memory is short.
 */
export function createSymptoms(): Symptoms {
  let swapOuts: { bytes: number; atMs: number }[] = [];
  let thrashSinceMs: number | undefined;
  let isShort = false;
  let thrashCount = 0;
  let onlyParks = false;
  let reclaims = false;

  return {
    feed(sample, capacityBytes, atMs) {
      const leftBytes = (sample.headroomBytes ?? 0) + (sample.floorBytes ?? 0);
      const leftRatio = leftBytes / capacityBytes;
      isShort = leftRatio < 0.2;
      swapOuts = [...swapOuts, { bytes: sample.swapOutBytesPerSecond ?? 0, atMs }].slice(-3);
      onlyParks = leftRatio > 0.2 && (sample.swapInBytesPerSecond ?? 0) < SWAP_BYTES_PER_SECOND / 10;
      reclaims = (sample.kswapdScanPerSecond ?? 0) > 0;
      // With much room a backup that reads everything twice looks the same, and hurts nobody here.
      const matters =
        leftRatio < 0.3 || (capacityBytes === sample.totalBytes && mapsWeights(sample, leftBytes));
      const rereads =
        (sample.refaultBytesPerSecond ?? 0) >= REFAULT_BYTES_PER_SECOND &&
        (sample.pressureSomeRatio ?? 0) >= PRESSURE_RATIO;
      thrashCount = rereads && matters ? thrashCount + 1 : 0;
      if (thrashCount <= 1) thrashSinceMs = atMs;
    },
    sinceMs: () =>
      swapOuts.find(({ bytes }) => bytes >= SWAP_BYTES_PER_SECOND)?.atMs ??
      (thrashCount >= 3 ? thrashSinceMs : undefined),
    now: () => ({
      swapsOut:
        swapOuts.filter(({ bytes }) => bytes >= SWAP_BYTES_PER_SECOND).length >= 2 ||
        (isShort && swapOuts.some(({ bytes }) => bytes >= BURST_BYTES_PER_SECOND)),
      onlyParks,
      thrashes: thrashCount >= 3,
      reclaims,
    }),
    restart() {
      swapOuts = [];
      thrashCount = 0;
    },
  };
}

/** Weights in use are mapped: the kernel calls them available, headroom does not. */
function mapsWeights({ availableBytes, totalBytes }: MemorySample, leftBytes: number): boolean {
  return (availableBytes ?? 0) - leftBytes > (totalBytes ?? Infinity) * 0.05;
}
