import { spawn } from "node:child_process";
import { env } from "node:process";

import type { SpawnHelper } from "./helperRun.ts";

/** Starts a helper for real. `LC_ALL=C` keeps numbers with a point and words in English; no console window on Windows. */
export const spawnHelper: SpawnHelper = (command, args) =>
  spawn(command, args, {
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...env, LC_ALL: "C" },
    windowsHide: true,
  });
