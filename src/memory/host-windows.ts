import type { MemorySample, RunnerSample } from "../types.ts";
import type { GpuWatch } from "./gpu.ts";
import { windowsHeadroom } from "./headroom.ts";
import { createHelper } from "./helper.ts";
import type { SpawnHelper } from "./helperRun.ts";
import type { MemorySource } from "./sampler.ts";
import {
  parseWindowsReport,
  REPORT_SCRIPT,
  type WindowsReport,
  type WindowsRunner,
} from "./windowsReport.ts";

export interface WindowsSourceOptions {
  totalBytes: number;
  /** Available physical memory without a helper: what `os.freemem()` is on Windows. */
  freeBytes: () => number;
  spawn: SpawnHelper;
  now: () => number;
  monotonic: () => number;
  gpu: GpuWatch;
}

const PAGE_BYTES = 4096;
/** The first report can take long: PowerShell starts slowly, and so does CIM. */
const SILENT_MS = 30_000;
/** A report comes every two seconds: after two that failed to come there is no reading. */
const STALE_MS = 5000;

/**
 * Memory of a Windows machine, from one long-lived PowerShell loop. There is one sample for each of its reports. While
 * it is down, samples hold available memory alone: without the commit limit there is no headroom to speak of.
 */
export function createWindowsSource(options: WindowsSourceOptions): MemorySource {
  const { totalBytes, spawn, monotonic, gpu } = options;
  let unread: WindowsReport | undefined;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  let swap: WindowsReport["swap"];
  let runners: WindowsRunner[] = [];
  const helper = createHelper({
    name: "the PowerShell loop that reads memory",
    command: "powershell.exe",
    args: ["-NoLogo", "-NoProfile", "-NonInteractive", "-Command", REPORT_SCRIPT],
    spawn,
    monotonic,
    silentMs: SILENT_MS,
    onLine: (line) => {
      const report = parseWindowsReport(line);
      if (report === undefined) return;
      unread = report;
      reportedAtMs = monotonic();
      swap = report.swap ?? swap;
      runners = report.runners ?? runners;
    },
  });
  helper.start();

  const problems = (): string[] => [
    ...[helper.problem()].filter((problem) => problem !== undefined),
    ...gpu.problems(),
  ];
  const common = (): Pick<MemorySample, "takenAt" | "totalBytes" | "gpus" | "problems"> => ({
    takenAt: options.now(),
    totalBytes,
    gpus: gpu.read(),
    problems: problems(),
  });

  return {
    state: "on",
    read: () => {
      const report = unread;
      unread = undefined;
      if (report !== undefined) {
        return {
          ...common(),
          availableBytes: report.availableBytes,
          ...windowsHeadroom({ totalBytes, ...report }),
          ...swap,
          swapOutBytesPerSecond:
            report.pagesOutPerSecond === undefined ? undefined : report.pagesOutPerSecond * PAGE_BYTES,
          runners: runners.map(runnerSample),
        };
      }
      if (monotonic() - reportedAtMs < STALE_MS) return undefined;
      return { ...common(), availableBytes: options.freeBytes(), runners: [] };
    },
    runners: () => runners.map(({ process }) => process),
    rescan: () => {}, // The loop has its own beat: it cannot be asked.
    problems,
    setDeviceInUse: gpu.setDeviceInUse,
    close: async () => {
      await Promise.all([helper.stop(), gpu.close()]);
    },
  };
}

/** The resident part of private memory is anonymous, the rest of the working set is files. */
function runnerSample({ process, workingSetBytes, privateBytes }: WindowsRunner): RunnerSample {
  const anonymousBytes = Math.min(workingSetBytes, privateBytes);
  return {
    pid: process.pid,
    startedAt: process.startedAt,
    anonymousBytes,
    fileBytes: workingSetBytes - anonymousBytes,
    sharedBytes: 0,
    swappedBytes: 0,
  };
}
