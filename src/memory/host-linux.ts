import { join } from "node:path";

import type { MemorySample, RunnerProcess, RunnerSample } from "../types.ts";
import { ratesBetween, type CounterReading } from "./counters.ts";
import type { GpuWatch } from "./gpu.ts";
import { createGroupWatch, type GroupWatch } from "./groups-linux.ts";
import { hotMappedBytes, linuxHeadroom, type GroupUse } from "./headroom.ts";
import { keepFile } from "./keptFile.ts";
import { parseMeminfo, type Meminfo } from "./meminfo.ts";
import { readPageBytes } from "./pageSize.ts";
import { parsePressure } from "./pressure.ts";
import { createRunnerWatch, type EnvironmentReader, type RunnerWatch } from "./runners-linux.ts";
import type { MemorySource } from "./sampler.ts";
import { isCompressedOnly } from "./swapDevices.ts";
import { parseVmstat } from "./vmstat.ts";

export interface LinuxSourceOptions {
  roots: { proc: string; sys: string };
  now: () => number;
  monotonic: () => number;
  gpu: GpuWatch;
  /** Whether a runner's weights are read from its mapped file at each token. Assumed so when not told. */
  weightsInUse?: (process: RunnerProcess) => boolean;
  readEnvironment?: EnvironmentReader;
  /** Processes whose arguments the kernel holds back hold up nothing; a new one is known a reading later. */
  neverBlock?: boolean;
}

/**
 * Memory of a Linux machine, read from `/proc` and `/sys` through kept descriptors: no waiting, and no child process but a
 * short one for each new runner's environment.
 * A reading throws only when `/proc/meminfo` cannot be read.
 */
export function createLinuxSource(options: LinuxSourceOptions): MemorySource {
  const { roots, monotonic, gpu } = options;
  const meminfo = keepFile(join(roots.proc, "meminfo"));
  const vmstat = keepFile(join(roots.proc, "vmstat"));
  const pressure = keepFile(join(roots.proc, "pressure/memory"));
  const swaps = keepFile(join(roots.proc, "swaps"));
  const pageBytes = readPageBytes(roots.proc);
  const hasPressure = pressure.read() !== undefined;
  const { readEnvironment, neverBlock } = options;
  const runnerWatch = createRunnerWatch({ procRoot: roots.proc, monotonic, readEnvironment, neverBlock });
  const groupWatch = createGroupWatch(roots);
  const readGroups = groupReader(runnerWatch, groupWatch);
  let previous: CounterReading | undefined;
  let vmstatReadable = true;

  const readCounters = (): CounterReading => {
    const counters = vmstat.read();
    vmstatReadable = counters !== undefined;
    const stalls = hasPressure ? pressure.read() : undefined;
    return {
      atMs: monotonic(),
      counters: {
        ...(counters === undefined ? {} : parseVmstat(counters)),
        ...(stalls === undefined ? {} : parsePressure(stalls)),
      },
    };
  };

  const problems = (): string[] => [
    ...(vmstatReadable
      ? []
      : [`${vmstat.path} cannot be read: swapping and re-reading of weights are not seen`]),
    ...(hasPressure ? [] : [`${pressure.path} is not there: stalls are not seen (kernel option psi=1)`]),
    ...groupWatch.problems(),
    ...gpu.problems(),
  ];

  return {
    state: "on",
    read: () => {
      const text = meminfo.read();
      if (text === undefined) throw new Error(`${meminfo.path} cannot be read`);
      const host = parseMeminfo(text);
      const reading = readCounters();
      const rates = ratesBetween(previous, reading, pageBytes);
      previous = reading;
      const runners = runnerWatch.read();
      const hotBytes = hotBytesOf(runners, host, runnerWatch.processes(), options.weightsInUse);
      const groups = readGroups(hotBytes, host.totalBytes);
      return {
        takenAt: options.now(),
        ...host,
        ...linuxHeadroom({ ...host, hotMappedBytes: hotBytes, groups }),
        ...rates,
        limit: tightest(groups),
        gpus: gpu.read(),
        runners: withDeviceBytes(runners, gpu.processes()),
        problems: problems(),
      };
    },
    runners: runnerWatch.processes,
    serverEnvironment: runnerWatch.serverEnvironment,
    rescan: runnerWatch.rescan,
    problems,
    setDeviceInUse: gpu.setDeviceInUse,
    swapIsCompressed: () => isCompressedOnly(swaps.read() ?? ""),
    close: async () => {
      for (const file of [meminfo, vmstat, pressure, swaps]) file.close();
      runnerWatch.close();
      groupWatch.close();
      await gpu.close();
    },
  };
}

/** Looks for groups again only after a new scan of the processes: between scans nobody can have moved unseen. */
function groupReader(
  runnerWatch: RunnerWatch,
  groupWatch: GroupWatch,
): (hotBytes: number, totalBytes: number | undefined) => GroupUse[] {
  let followedScan = 0;
  return (hotBytes, totalBytes) => {
    if (followedScan !== runnerWatch.scanCount() && totalBytes !== undefined) {
      followedScan = runnerWatch.scanCount();
      groupWatch.follow(runnerWatch.pids(), totalBytes);
    }
    return groupWatch.read(hotBytes);
  };
}

function hotBytesOf(
  runners: readonly RunnerSample[],
  host: Meminfo,
  processes: readonly RunnerProcess[],
  weightsInUse: ((process: RunnerProcess) => boolean) | undefined,
): number {
  const hot = runners.flatMap(({ pid, fileBytes }) => {
    const process = processes.find((each) => each.pid === pid);
    if (process !== undefined && weightsInUse?.(process) === false) return [];
    return [{ pid, fileBytes, blobDigest: process?.blobDigest }];
  });
  return hotMappedBytes(hot, host.mappedBytes);
}

function tightest(groups: readonly GroupUse[]): MemorySample["limit"] {
  const group = groups.toSorted((a, b) => a.limitBytes - a.usedBytes - (b.limitBytes - b.usedBytes))[0];
  return group && { bytes: group.limitBytes, usedBytes: group.usedBytes };
}

function withDeviceBytes(
  runners: readonly RunnerSample[],
  deviceBytesOf: ReadonlyMap<number, number>,
): RunnerSample[] {
  return runners.map((runner) => {
    const deviceBytes = deviceBytesOf.get(runner.pid);
    return deviceBytes === undefined ? runner : { ...runner, deviceBytes };
  });
}
