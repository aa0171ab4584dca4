/** Runs the program as people start it, with an environment of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { onCleanUp } from "../../support/startPlimsoll.ts";

export interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  ended: Promise<{ code: number | null; out: string; err: string }>;
}

export function plimsoll(args: string[], environment: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ["src/main.ts", ...args], {
    env: { PATH: process.env["PATH"], HOME: os.tmpdir(), XDG_CONFIG_HOME: "/nowhere", ...environment },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, out, err }));
  onCleanUp(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, out: () => out, err: () => err, ended };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "plimsoll-cli-"));
  onCleanUp(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
