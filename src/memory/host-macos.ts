import type { MemorySample, RunnerSample } from "../types.ts";
import type { GpuWatch } from "./gpu.ts";
import { macHeadroom } from "./headroom.ts";
import { createHelper } from "./helper.ts";
import type { SpawnHelper } from "./helperRun.ts";
import { createMacSurvey } from "./macSurvey.ts";
import type { MemorySource } from "./sampler.ts";
import { createVmStatParser, type VmStatLine } from "./macVmStat.ts";

export interface MacSourceOptions {
  totalBytes: number;
  spawn: SpawnHelper;
  now: () => number;
  monotonic: () => number;
  gpu: GpuWatch;
}

/** `vm_stat 1` prints a line a second. */
const LINE_SECONDS = 1;
const SILENT_MS = 10_000;

/**
 * Memory of a Mac, from `vm_stat 1` and a slow survey of swap and processes, both long-lived.
 * There is one sample for each line of `vm_stat`; while it is down there are none, and a problem says so.
 */
export function createMacSource(options: MacSourceOptions): MemorySource {
  const { totalBytes, spawn, monotonic, gpu } = options;
  const parse = createVmStatParser();
  let unread: VmStatLine[] = [];
  const vmStat = createHelper({
    name: "vm_stat",
    command: "vm_stat",
    args: [String(LINE_SECONDS)],
    spawn,
    monotonic,
    silentMs: SILENT_MS,
    onLine: (line) => {
      const reading = parse(line);
      if (reading !== undefined) unread = [...unread.slice(-LONGEST_BACKLOG), reading];
    },
  });
  const survey = createMacSurvey({ spawn, monotonic });
  vmStat.start();
  survey.start();

  const problems = (): string[] => [
    ...[vmStat.problem(), survey.problem()].filter((problem) => problem !== undefined),
    ...gpu.problems(),
  ];
  const runnerSamples = (): RunnerSample[] =>
    survey.runners().map(({ process, residentBytes }) => ({
      pid: process.pid,
      startedAt: process.startedAt,
      // `ps` does not part resident memory into kinds.
      anonymousBytes: residentBytes,
      fileBytes: 0,
      sharedBytes: 0,
      swappedBytes: 0,
    }));

  return {
    state: "on",
    read: () => {
      const lines = unread;
      unread = [];
      const last = lines.at(-1);
      if (last === undefined) return undefined;
      return {
        takenAt: options.now(),
        ...levels(last, totalBytes),
        ...swapRates(lines),
        ...survey.swap(),
        gpus: gpu.read(),
        runners: runnerSamples(),
        problems: problems(),
      };
    },
    runners: () => survey.runners().map(({ process }) => process),
    rescan: () => {}, // The survey has its own beat: a process list costs a program start on macOS.
    problems,
    setDeviceInUse: gpu.setDeviceInUse,
    close: async () => {
      await Promise.all([vmStat.stop(), survey.stop(), gpu.close()]);
    },
  };
}

/** Lines kept while nobody reads: only after a stall of our own are there more than two. */
const LONGEST_BACKLOG = 9;

function levels(line: VmStatLine, totalBytes: number): Partial<MemorySample> {
  return {
    totalBytes,
    availableBytes: Math.max(0, totalBytes - line.heldBytes),
    anonymousBytes: line.anonymousBytes,
    ...macHeadroom({ totalBytes, ...line }),
  };
}

/** The mean over the lines since the last sample, so that a line that came with another is not lost. */
function swapRates(lines: readonly VmStatLine[]): Partial<MemorySample> {
  const mean = (of: (line: VmStatLine) => number | undefined): number | undefined => {
    const counts = lines.map(of).filter((count) => count !== undefined);
    if (counts.length === 0) return undefined;
    return Math.round(counts.reduce((sum, count) => sum + count, 0) / (counts.length * LINE_SECONDS));
  };
  return {
    swapOutBytesPerSecond: mean((line) => line.swappedOutBytes),
    swapInBytesPerSecond: mean((line) => line.swappedInBytes),
  };
}
