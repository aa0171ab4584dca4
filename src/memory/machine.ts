import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem, version } from "node:os";
import { Worker } from "node:worker_threads";
import type { Machine } from "../types.ts";

/** What can be known without starting a program. */
export type MachineFacts = Omit<Machine, "gpuNames">;

/** Facts about this machine, without starting a program. `etcRoot` is where Linux keeps its name (`os-release`). */
export function readMachineFacts(etcRoot = "/etc"): MachineFacts {
  return {
    osName: osName(etcRoot),
    architecture: arch(),
    cpuModel: cpus()[0]?.model.trim().replaceAll(/\s+/g, " ") || undefined,
    coreCount: availableParallelism(),
    totalBytes: totalmem(),
  };
}

function osName(etcRoot: string): string {
  if (platform() === "linux") return linuxName(etcRoot) ?? `Linux ${release()}`;
  // `version()` is "Windows 11 Pro" on Windows and a long build line on macOS.
  return platform() === "win32" ? version() : `macOS (Darwin ${release()})`;
}

function linuxName(etcRoot: string): string | undefined {
  try {
    const text = readFileSync(`${etcRoot}/os-release`, "utf8");
    return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** What only the system's own tools tell; each part is absent where they do not, or not without more rights. */
export type MachineParts = Pick<
  Machine,
  "cpuModel" | "memoryType" | "memoryTransfersPerSecond" | "memoryModuleCount" | "gpuNames"
>;

const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./machineWorker.ts" : "./machineWorker.js",
  import.meta.url,
);

/** This machine: what is known at once, and what the system's own tools add. */
export async function readMachine(): Promise<Machine> {
  const parts = await readMachineParts();
  return { ...readMachineFacts(), ...parts, cpuModel: parts.cpuModel ?? readMachineFacts().cpuModel };
}

/** Starts programs, in a thread of its own, and gives up after `limitMs`: then nothing is known. */
export function readMachineParts(limitMs = 10_000, workerUrl = WORKER_URL): Promise<MachineParts> {
  return new Promise((resolve) => {
    const worker = new Worker(workerUrl);
    worker.unref();
    const finish = (parts: MachineParts): void => {
      clearTimeout(timer);
      resolve(parts);
      void worker.terminate();
    };
    const timer = setTimeout(() => finish({ gpuNames: [] }), limitMs).unref();
    worker.once("message", finish);
    worker.once("error", () => finish({ gpuNames: [] }));
  });
}
