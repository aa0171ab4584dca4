/** How fast this machine reads its memory: measured on request, else by the chip's name, else by its memory modules. */
import { bandwidthOf } from "../predict/speedBandwidth.ts";
import type { Machine } from "../types.ts";

export interface KnownBandwidth {
  bytesPerSecond: number;
  /** In words: `as measured here on 2026-01-31`, `Apple M2 Max by name`. */
  source: string;
  /** By programs on this machine; a chip's own figure is more than any program reaches. */
  measured: boolean;
}

/** What `plimsoll predict --measure-bandwidth` keeps. */
export interface MeasuredBandwidth {
  bytesPerSecond: number;
  measuredAt: number;
  threadCount: number;
  /** A record may move to another machine: there the figure says nothing. */
  machine: string;
}

/** Where the record keeps it. */
export const BANDWIDTH_KEY = "bandwidth";

/** Slower than any memory and faster than any chip: a record that says so is broken. */
const PLAUSIBLE = { least: 1e8, most: 1e14 };
const BYTES_PER_TRANSFER = 8;

/** The figure that {@link MeasuredBandwidth} was written as; undefined for another machine's, or for nonsense. */
export function parseMeasuredBandwidth(
  text: string | undefined,
  machine: string,
): MeasuredBandwidth | undefined {
  const saved = readObject(text);
  const { bytesPerSecond, measuredAt, threadCount } = saved;
  if (
    saved["machine"] !== machine ||
    !isCount(measuredAt) ||
    !isCount(threadCount) ||
    !isCount(bytesPerSecond) ||
    bytesPerSecond < PLAUSIBLE.least ||
    bytesPerSecond > PLAUSIBLE.most
  ) {
    return undefined;
  }
  return { bytesPerSecond, measuredAt, threadCount, machine };
}

/** Of the memory that the processor computes in. Modules are read two at once, as in all but servers. */
export function hostBandwidth(
  machine: Machine | undefined,
  measured: MeasuredBandwidth | undefined,
): KnownBandwidth | undefined {
  if (measured !== undefined) {
    const day = new Date(measured.measuredAt).toISOString().slice(0, 10);
    return { bytesPerSecond: measured.bytesPerSecond, source: `as measured here on ${day}`, measured: true };
  }
  const named = machine?.cpuModel === undefined ? undefined : byName(machine.cpuModel);
  const { memoryTransfersPerSecond, memoryModuleCount, memoryType = "memory" } = machine ?? {};
  if (named !== undefined || memoryTransfersPerSecond === undefined) {
    return named;
  }
  const channels = Math.min(2, memoryModuleCount ?? 2);
  return {
    bytesPerSecond: memoryTransfersPerSecond * BYTES_PER_TRANSFER * channels,
    source: `${memoryType} modules, ${channels === 1 ? "one" : "two at once"}`,
    measured: false,
  };
}

/** Of the graphics card, or of the memory that it shares with the processor. */
export function deviceBandwidth(
  machine: Machine | undefined,
  measured: MeasuredBandwidth | undefined,
): KnownBandwidth | undefined {
  const named = machine?.gpuNames.map(byName).find((bandwidth) => bandwidth !== undefined);
  // A processor that shares its memory with the graphics has that memory in its name; copying with its cores reaches less.
  return named ?? hostBandwidth(machine, undefined) ?? hostBandwidth(machine, measured);
}

function byName(name: string): KnownBandwidth | undefined {
  const found = bandwidthOf(name);
  return found === undefined
    ? undefined
    : { bytesPerSecond: found.bytesPerSecond, source: `${found.chip} by its name`, measured: false };
}

function readObject(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "null");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
