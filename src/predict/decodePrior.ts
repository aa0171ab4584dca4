/** Decode speed before the first answer, from what a token makes the machine read. */
import type { DecodePrior } from "./decodeFit.ts";

export interface DecodeReads {
  /** Weights read for one token on this device: active experts only, without the token embedding. */
  bytesPerToken: number;
  /** As the chip is specified, or as measured on this machine. */
  bandwidthBytesPerSecond?: number;
  /** Measured by a program, which reaches no more than another one does. */
  measured?: boolean;
  /** `gpu`: discrete or Apple. `cpu`: also graphics that share the CPU's memory. */
  device: "gpu" | "cpu";
}

/** What one token makes this machine read. */
export interface DecodePlan {
  /** One entry a device that holds weights; their times add up. */
  reads: readonly DecodeReads[];
  kvBytesPerToken?: number;
  layerCount?: number;
  /** A mixture of experts reads many small matrices and reaches less of the bandwidth. */
  experts?: boolean;
}

/** Shares of the specified bandwidth that real runs reach: 86–99 % on GPUs, 75–85 % on CPUs. */
const REACHED = { gpu: 0.85, cpu: 0.75 };
/** Of a bandwidth that was measured here, see `DecodeReads.measured`. */
const REACHED_OF_MEASURED = 0.9;
/** Taken off the share for a mixture of experts. */
const EXPERTS_REACH_LESS = 0.2;
/** Kernel launches, norms, sampling. */
const FIXED_MS_PER_LAYER = { gpu: 0.15, cpu: 0 };
/** The cache is read far slower than the weights: a quarter of their bandwidth was measured. */
const CACHE_SHARE = 0.4;
/** How far the time per depth may be off, and the base. */
const CACHE_SPREAD_RATIO = 0.6;
const SPREAD_RATIO = 0.3;

/**
 * t(d) = Σ bytes ÷ (reached share · bandwidth) + fixed time per layer, and for each token in context its cache bytes at
 * a share of that bandwidth. Good for ±30 %. Undefined when a device's bytes or bandwidth are not known.
 */
export function decodePrior(plan: DecodePlan): DecodePrior | undefined {
  const reads = plan.reads.filter(({ bytesPerToken }) => bytesPerToken > 0);
  const largest = reads.toSorted((left, right) => right.bytesPerToken - left.bytesPerToken)[0];
  if (largest === undefined || !reads.every(isSound)) {
    return undefined;
  }
  const weightsMs = reads.reduce((sum, read) => sum + msToRead(read.bytesPerToken, read, plan), 0);
  const fixedMs = positive(plan.layerCount) * FIXED_MS_PER_LAYER[largest.device];
  const cacheMs = msToRead(positive(plan.kvBytesPerToken), largest, plan) / CACHE_SHARE;
  const baseMs = weightsMs + fixedMs;
  return Number.isFinite(baseMs + cacheMs) && baseMs > 0
    ? {
        baseMs,
        perDepthMs: cacheMs,
        perDepthDeviationMs: cacheMs * CACHE_SPREAD_RATIO,
        centreDepthTokens: 0,
        spreadRatio: SPREAD_RATIO,
      }
    : undefined;
}

/** The specified bandwidth that would explain a base time: the reverse of the formula, all weights on one device. */
export function reachedBandwidth(plan: DecodePlan, baseMs: number): number | undefined {
  const bytes = plan.reads.reduce((sum, read) => sum + positive(read.bytesPerToken), 0);
  const device = plan.reads.some((read) => read.device === "gpu") ? "gpu" : "cpu";
  const fixedMs = positive(plan.layerCount) * FIXED_MS_PER_LAYER[device];
  // Most of a tiny model's time is fixed: then the rest is too small to divide by.
  const readingMs = Math.max(baseMs - fixedMs, baseMs / 4);
  return bytes > 0 && readingMs > 0 ? (bytes / readingMs / shareOf({ device }, plan)) * 1000 : undefined;
}

function msToRead(bytes: number, read: DecodeReads, plan: DecodePlan): number {
  return (bytes / (shareOf(read, plan) * (read.bandwidthBytesPerSecond ?? Number.NaN))) * 1000;
}

function shareOf(
  { device, measured }: Pick<DecodeReads, "device" | "measured">,
  { experts }: DecodePlan,
): number {
  const reached = measured === true ? REACHED_OF_MEASURED : REACHED[device];
  return reached - (experts === true ? EXPERTS_REACH_LESS : 0);
}

function isSound({ bandwidthBytesPerSecond = 0, bytesPerToken }: DecodeReads): boolean {
  return bandwidthBytesPerSecond >= 1e6 && bandwidthBytesPerSecond <= 1e15 && bytesPerToken <= 1e15;
}

function positive(value: number | undefined): number {
  return value !== undefined && value > 0 && value < 1e15 ? value : 0;
}
