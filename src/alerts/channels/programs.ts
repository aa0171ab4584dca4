/** Programs for real: the desktop and command channels are given these by whoever starts Plimsoll. */
import { spawn } from "node:child_process";
import { env, kill, platform } from "node:process";
import type { Programs } from "./desktop.ts";

/** Programs are started as leaders of process groups, so that what they start ends with them. */
export function thisMachinesPrograms(): Programs {
  const windows = platform === "win32";
  return {
    platform: windows ? "windows" : platform === "darwin" ? "macos" : "linux",
    environment: env,
    spawn: (command, args, environment) =>
      spawn(command, args, {
        stdio: ["pipe", "pipe", "ignore"],
        env: { ...env, ...environment },
        // A group of its own: one that hangs is ended with all that it started, and Ctrl-C is ours to handle.
        detached: !windows,
        windowsHide: true,
      }),
    killGroup(pid) {
      try {
        kill(windows ? pid : -pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    },
  };
}
