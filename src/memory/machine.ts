import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, platform, release, totalmem, version } from "node:os";

/** What kind of machine this is; read once at the start. */
export interface MachineFacts {
  osName: string;
  architecture: string;
  cpuModel?: string;
  coreCount: number;
  totalBytes: number;
}

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
