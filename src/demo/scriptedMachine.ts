/**
 * A 16 GiB machine that is not there: other programs that come and go a little, the simulated runners, and swap that
 * starts where headroom ends. It has the shape of a memory source, so the sampler reads it like a real one.
 */
import type { MemorySample, RunnerProcess, RunnerSample } from "../types.ts";
import type { Clock } from "./clock.ts";
import { createRandom } from "./random.ts";
import { createSwap, type Swap } from "./swap.ts";
import type { SimulatedRunner } from "./simulatedOllama.ts";

export interface ScriptedMachine {
  readonly state: "on";
  read(): MemorySample;
  runners(): RunnerProcess[];
  rescan(): void;
  problems(): string[];
  setDeviceInUse(inUse: boolean): void;
  close(): Promise<void>;
  /** How much longer everything takes because of swapping; 1 when there is none. */
  slowdown(): number;
}

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const PAGE_BYTES = 4096;

const TOTAL_BYTES = 16 * GIBIBYTE;
const SWAP_TOTAL_BYTES = 8 * GIBIBYTE;
/** Kernel, page tables and what is kept in reserve. */
const KERNEL_BYTES = 600 * MEBIBYTE;
/** File cache in such use that it is not counted as available. */
const HOT_CACHE_BYTES = 220 * MEBIBYTE;
/** Mapped by programs other than runners. */
const MAPPED_BYTES = 260 * MEBIBYTE;
const OTHER_PROGRAMS_BYTES = 2950 * MEBIBYTE;
/** Slow waves of other programs: how high, and how long. */
const WAVES = [
  { bytes: 90 * MEBIBYTE, periodMs: 410_000 },
  { bytes: 35 * MEBIBYTE, periodMs: 97_000 },
];
const FLICKER_BYTES = 6 * MEBIBYTE;

/** Swap is expected to start about here: 3 % of the machine, within 256 MiB and 2 GiB. */
const FLOOR_BYTES = Math.min(2 * GIBIBYTE, Math.max(256 * MEBIBYTE, Math.round(TOTAL_BYTES * 0.03)));

export function createScriptedMachine(parts: {
  clock: Clock;
  runners: () => readonly SimulatedRunner[];
  seed?: number;
}): ScriptedMachine {
  const { clock } = parts;
  const random = createRandom(parts.seed ?? 1);
  const startedAt = clock.monotonic();
  const swap = createSwap({ capacityBytes: SWAP_TOTAL_BYTES });
  let steppedAt = startedAt;

  /** Without swapping. */
  const effectiveBytes = (others: number): number => {
    const runners = parts.runners().map((runner) => runner.sample);
    const anonymous = others + total(runners.map((runner) => runner.anonymousBytes));
    const files = total(runners.map((runner) => runner.fileBytes));
    return TOTAL_BYTES - KERNEL_BYTES - HOT_CACHE_BYTES - anonymous - files;
  };
  const step = (): number => {
    const now = clock.monotonic();
    const others = Math.round(otherPrograms(now - startedAt) + random() * FLICKER_BYTES);
    swap.step({
      seconds: Math.max(0, now - steppedAt) / 1000,
      missingBytes: FLOOR_BYTES - effectiveBytes(others),
      coldBytes: new Map(
        parts.runners().map((runner) => [runner.sample.pid, runner.memory.promptCacheBytes]),
      ),
    });
    steppedAt = now;
    return others;
  };

  return {
    state: "on",
    read: () => {
      const others = step();
      return sampleOf({
        takenAt: Math.round(clock.now()),
        others,
        effectiveBytes: effectiveBytes(others),
        runners: parts.runners().map((runner) => swappedSample(runner.sample, swap)),
        swap,
        noise: random(),
      });
    },
    runners: () =>
      parts.runners().map(({ process }) => ({ ...process, startedAt: Math.round(process.startedAt ?? 0) })),
    rescan: () => {},
    problems: () => [],
    setDeviceInUse: () => {},
    close: () => Promise.resolve(),
    slowdown: () => 1 + Math.min(2, (swap.outBytesPerSecond() + swap.inBytesPerSecond()) / (80 * MEBIBYTE)),
  };
}

function sampleOf(parts: {
  takenAt: number;
  others: number;
  effectiveBytes: number;
  runners: RunnerSample[];
  swap: Swap;
  noise: number;
}): MemorySample {
  const { runners, swap } = parts;
  const files = total(runners.map((runner) => runner.fileBytes));
  // Reclaim keeps a little free even while it falls behind.
  const effective = Math.max(40 * MEBIBYTE, parts.effectiveBytes + swap.usedBytes());
  const tightness = Math.min(1, Math.max(0, (1.3 * FLOOR_BYTES - effective) / FLOOR_BYTES));
  const traffic = (swap.outBytesPerSecond() + swap.inBytesPerSecond()) / (200 * MEBIBYTE);
  return {
    takenAt: parts.takenAt,
    totalBytes: TOTAL_BYTES,
    availableBytes: pages(effective + files),
    headroomBytes: pages(effective - FLOOR_BYTES),
    floorBytes: FLOOR_BYTES,
    anonymousBytes: pages(
      parts.others - swap.othersBytes() + total(runners.map((runner) => runner.anonymousBytes)),
    ),
    mappedBytes: pages(MAPPED_BYTES + files),
    swapTotalBytes: SWAP_TOTAL_BYTES,
    swapUsedBytes: pages(swap.usedBytes()),
    swapOutBytesPerSecond: pages(swap.outBytesPerSecond()),
    swapInBytesPerSecond: pages(swap.inBytesPerSecond()),
    refaultBytesPerSecond: pages(tightness * 6 * MEBIBYTE * parts.noise),
    kswapdScanPerSecond: Math.round(tightness * 18_000 * (0.5 + parts.noise)),
    pressureSomeRatio: Math.min(0.6, tightness * 0.05 + traffic * 0.3 * (0.7 + 0.6 * parts.noise)),
    pressureFullRatio: Math.min(0.3, traffic * 0.1),
    gpus: [],
    runners,
    problems: [],
  };
}

function swappedSample(sample: RunnerSample, swap: Swap): RunnerSample {
  const swappedBytes = pages(Math.min(sample.anonymousBytes, swap.runnerBytes(sample.pid)));
  return {
    ...sample,
    startedAt: Math.round(sample.startedAt ?? 0),
    anonymousBytes: sample.anonymousBytes - swappedBytes,
    swappedBytes,
  };
}

function otherPrograms(passedMs: number): number {
  const waves = WAVES.map((wave) => wave.bytes * Math.sin((2 * Math.PI * passedMs) / wave.periodMs));
  return OTHER_PROGRAMS_BYTES + total(waves);
}

function pages(bytes: number): number {
  return Math.round(bytes / PAGE_BYTES) * PAGE_BYTES;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
