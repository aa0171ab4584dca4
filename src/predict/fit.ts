/** Does it fit: need against what is free, for host and device. */
import type { MemoryEstimate } from "../types.ts";

/** What is free on the machine that is asked about. Everything may be unknown. */
export interface FitMachine {
  /** Bytes left before the host starts to swap. */
  headroomBytes?: number;
  totalBytes?: number;
  /** What unloading the model that this one would replace gives back to the host. */
  freedBytes?: number;
  /** With what that model would give back. */
  deviceFreeBytes?: number;
  /** Host and device are one memory. */
  unifiedMemory?: boolean;
  /** Weights that host and device map from the same pages of the file, to be counted once. */
  mappedTwiceBytes?: number;
}

export type Fit = MemoryEstimate["fit"];

const GIBIBYTE = 1024 ** 3;
/** Less than this share of memory left over is tight. */
const TIGHT_SHARE = 0.1;
/** Prompts kept for reuse grow with use: so much, or twice the cache, is kept in mind. */
const RESERVE_BYTES = 8 * GIBIBYTE;

/**
 * Need against headroom, counting what the load would replace; unified memory is counted once. `tight` means that it
 * fits, but less than a tenth of memory is left, or not enough for the prompts that llama-server will keep.
 */
export function fitEstimate(estimate: MemoryEstimate, machine: FitMachine): Fit {
  const need = needBytes(estimate, machine);
  const left = leftBytes(need, machine);
  const headroomBytes = machine.headroomBytes;
  const known = headroomBytes === undefined ? {} : { headroomBytes };
  if (left === undefined) return { verdict: "unknown", ...known };
  const least = Math.min(left.host, left.device ?? left.host);
  if (least < 0) return { verdict: "overflows", ...known, shortBytes: Math.round(-least) };
  // Without the weights the rest fits, and that says nothing about the whole.
  if (estimate.weightsBytes === undefined) return { verdict: "unknown", ...known };
  return { verdict: isTight(estimate, machine, left.host) ? "tight" : "fits", ...known };
}

interface Need {
  host: number;
  device: number;
}

/** Everything that is allocated, untouched compute buffers included: the first large prompt touches them. */
export function needBytes(
  estimate: MemoryEstimate,
  machine: Pick<FitMachine, "unifiedMemory" | "mappedTwiceBytes">,
): Need {
  const parts = [
    estimate.weightsBytes,
    estimate.kvCacheBytes,
    estimate.recurrentStateBytes,
    estimate.computeBytes,
  ];
  const own = (estimate.outputBytes ?? 0) + (estimate.processBytes ?? 0);
  const host = parts.reduce((sum, part) => sum + (part?.hostBytes ?? 0), own);
  const device = parts.reduce((sum, part) => sum + (part?.deviceBytes ?? 0), 0);
  return machine.unifiedMemory === true
    ? { host: host + device - (machine.mappedTwiceBytes ?? 0), device: 0 }
    : { host, device };
}

function leftBytes(need: Need, machine: FitMachine): { host: number; device?: number } | undefined {
  if (machine.headroomBytes === undefined) return undefined;
  const host = machine.headroomBytes + (machine.freedBytes ?? 0) - need.host;
  if (machine.unifiedMemory === true || machine.deviceFreeBytes === undefined || need.device === 0)
    return { host };
  return { host, device: machine.deviceFreeBytes - need.device };
}

function isTight(estimate: MemoryEstimate, machine: FitMachine, leftOnHost: number): boolean {
  const kv = estimate.kvCacheBytes;
  const reserve = Math.min(
    RESERVE_BYTES,
    estimate.promptCacheLimitBytes ?? 0,
    2 * (kv.hostBytes + kv.deviceBytes),
  );
  return leftOnHost < Math.max(reserve, (machine.totalBytes ?? 0) * TIGHT_SHARE);
}
