/** Which source fits this machine, this Ollama and these options. */
import { existsSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { basename, join } from "node:path";

import type { RunnerProcess } from "../types.ts";
import { createGpuWatch } from "./gpu.ts";
import type { SpawnHelper } from "./helperRun.ts";
import { createLinuxSource } from "./host-linux.ts";
import { createMacSource } from "./host-macos.ts";
import { createWindowsSource } from "./host-windows.ts";
import { readProcessEnvironment } from "./processEnvironment.ts";
import { createReplaySource, readRecordedRun } from "./replay.ts";
import type { MemorySource } from "./sampler.ts";
import { spawnHelper } from "./spawn.ts";

export interface MemorySourceOptions {
  platform: NodeJS.Platform;
  /** Whether Ollama runs on this machine. */
  upstreamIsLocal: boolean;
  /** A recording to play instead of reading this machine. */
  replayPath?: string;
  now: () => number;
  monotonic: () => number;
  /** Whether a runner's weights are read from its mapped file; assumed so when not told. */
  weightsInUse?: (process: RunnerProcess) => boolean;
  /** For a program that must never wait: see `LinuxSourceOptions`. */
  neverBlock?: boolean;
  roots?: { proc: string; sys: string };
  spawn?: SpawnHelper;
}

/**
 * The source that fits: a recording if one is named, nothing for an Ollama elsewhere, else this machine's own memory.
 * Throws when the recording cannot be read or understood, with file, line and what was expected.
 */
export function createMemorySource(options: MemorySourceOptions): MemorySource {
  const { platform, now, monotonic } = options;
  if (options.replayPath !== undefined) {
    const { samples } = readRecordedRun(options.replayPath);
    const name = basename(options.replayPath);
    return createReplaySource({ samples, name, now, monotonic });
  }
  if (!options.upstreamIsLocal) return unseen("remote", "memory of that host is not visible");

  const spawn = options.spawn ?? spawnHelper;
  const totalBytes = totalmem();
  if (platform === "linux") {
    const roots = options.roots ?? { proc: "/proc", sys: "/sys" };
    const hasNvidia = existsSync(join(roots.proc, "driver/nvidia/version"));
    const gpu = createGpuWatch({ sysRoot: roots.sys, spawn, monotonic, hasNvidia });
    return createLinuxSource({
      roots,
      now,
      monotonic,
      gpu,
      weightsInUse: options.weightsInUse,
      neverBlock: options.neverBlock,
      readEnvironment: (pid) => readProcessEnvironment(join(roots.proc, String(pid), "environ"), { spawn }),
    });
  }
  // On Windows only the program itself tells whether there is a driver; a Mac has none.
  const gpu = createGpuWatch({ spawn, monotonic, hasNvidia: platform === "win32" });
  if (platform === "darwin") return createMacSource({ totalBytes, spawn, now, monotonic, gpu });
  if (platform === "win32") {
    return createWindowsSource({ totalBytes, freeBytes: freemem, spawn, now, monotonic, gpu });
  }
  return unseen("off", `memory is not read on ${platform}: Linux, macOS and Windows are known`);
}

function unseen(state: "remote" | "off", problem: string): MemorySource {
  return {
    state,
    read: () => undefined,
    runners: () => [],
    rescan: () => {},
    problems: () => [problem],
    setDeviceInUse: () => {},
    close: async () => {},
  };
}
