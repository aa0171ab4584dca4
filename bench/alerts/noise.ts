/** Memory of a machine that is used and never swaps: a browser, builds, a backup. One reading a second, from a seed. */
import type { MemorySample } from "../../src/types.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export interface NoiseOptions {
  hours: number;
  seed: number;
  totalBytes?: number;
}

/** A program that takes memory at a pace, holds it, and gives it back. */
interface Job {
  wantBytes: number;
  heldBytes: number;
  bytesPerSecond: number;
  secondsLeft: number;
}

/** Never less than this share is left: what goes lower than a warning's threshold would be no false warning. */
const LEAST_LEFT_RATIO = 0.13;

export function* noisyMemory({ hours, seed, totalBytes = 16 * GIB }: NoiseOptions): Generator<MemorySample> {
  const random = generator(seed);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const scale = totalBytes / (16 * GIB);
  const floorBytes = Math.round(Math.min(Math.max(totalBytes * 0.03, 256 * MIB), 2 * GIB));
  const base = 0.22 * totalBytes;
  let tabs: { bytes: number; target: number; pace: number }[] = [];
  let jobs: Job[] = [];
  let backupLeft = 0;
  let garbage = 0;

  for (let second = 0; second < hours * 3600; second += 1) {
    const hour = Math.floor(second / 3600);
    const builds = hour % 3 !== 0;
    // Tabs open in a second or three, grow a little, and close at once.
    if (random() < 1 / 40 && tabs.length < 16) {
      const target = between(60, 450) * MIB * scale;
      tabs.push({ bytes: 0, target, pace: target / between(1, 4) });
    }
    if (random() < 1 / 60 && tabs.length > 4) tabs.splice(Math.floor(random() * tabs.length), 1);
    if (random() < 1 / 7200) tabs = tabs.slice(0, 4);
    for (const tab of tabs) {
      tab.bytes = Math.min(tab.target, tab.bytes + tab.pace);
      tab.target += between(-0.2, 0.25) * MIB * scale;
    }
    // Garbage piles up and is collected.
    garbage = random() < 1 / 20 ? 0 : garbage + between(0, 20) * MIB * scale;
    // Builds: waves of compilers, now and then a linker that takes gigabytes for a while.
    if (builds && jobs.length === 0 && random() < 1 / 90) {
      const count = Math.round(between(4, 8));
      for (let index = 0; index < count; index += 1) jobs.push(compiler(between, scale));
      if (random() < 0.3) jobs.push(linker(between, scale));
    } else if (builds && jobs.length > 0 && jobs.length < 8 && random() < 1 / 3) {
      if (random() < 0.9) jobs.push(compiler(between, scale));
    }
    const used = (): number =>
      base +
      garbage +
      tabs.reduce((sum, { bytes }) => sum + bytes, 0) +
      jobs.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    for (const job of jobs) {
      const room = (1 - LEAST_LEFT_RATIO) * totalBytes - used();
      const more = Math.min(
        job.bytesPerSecond * between(0.3, 1.7),
        job.wantBytes - job.heldBytes,
        Math.max(0, room),
      );
      job.heldBytes += more;
      job.secondsLeft -= 1;
    }
    jobs = jobs.filter(({ secondsLeft }) => secondsLeft > 0);
    while (used() > (1 - LEAST_LEFT_RATIO) * totalBytes && tabs.length > 0) tabs.pop();
    // A backup reads the disk through the cache: reclaim is busy, nothing is short.
    if (backupLeft === 0 && random() < 1 / (5 * 3600)) backupLeft = Math.round(between(600, 3000));
    if (backupLeft > 0) backupLeft -= 1;
    const backup = backupLeft > 0;
    const leftBytes = Math.round(totalBytes - used() + between(-3, 3) * MIB * scale);
    yield {
      takenAt: second * 1000,
      totalBytes,
      availableBytes: leftBytes,
      headroomBytes: leftBytes - floorBytes,
      floorBytes,
      swapTotalBytes: 8 * GIB,
      swapUsedBytes: 0,
      swapOutBytesPerSecond: 0,
      swapInBytesPerSecond: 0,
      refaultBytesPerSecond: backup ? Math.round(between(0, 12) * MIB) : random() < 0.02 ? 3 * MIB : 0,
      kswapdScanPerSecond: backup ? Math.round(between(10_000, 60_000)) : 0,
      pressureSomeRatio: backup ? between(0.005, 0.09) : 0,
      pressureFullRatio: 0,
      gpus: [],
      runners: [],
      problems: [],
    };
  }
}

type Between = (low: number, high: number) => number;

function compiler(between: Between, scale: number): Job {
  const wantBytes = between(80, 500) * MIB * scale;
  const secondsLeft = Math.round(between(4, 45));
  return {
    wantBytes,
    heldBytes: 0,
    bytesPerSecond: wantBytes / (secondsLeft * between(0.3, 0.9)),
    secondsLeft,
  };
}

function linker(between: Between, scale: number): Job {
  const wantBytes = between(800, 2800) * MIB * scale;
  const secondsLeft = Math.round(between(15, 70));
  return {
    wantBytes,
    heldBytes: 0,
    bytesPerSecond: wantBytes / (secondsLeft * between(0.3, 0.8)),
    secondsLeft,
  };
}

function generator(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
