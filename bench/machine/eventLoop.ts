/** Asks a process that was started with `eventLoopPreload.ts` how late its event loop ran. */
import { existsSync, readFileSync, rmSync } from "node:fs";

/** How much later than due the loop came round. */
export interface EventLoopDelay {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const LIMIT_MS = 5000;

/** What was seen since the last time it was asked. */
export async function readEventLoop(pid: number, file: string): Promise<EventLoopDelay> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const deadline = Date.now() + LIMIT_MS;
  while (!existsSync(file)) {
    if (Date.now() > deadline) {
      throw new Error("its event loop was asked and did not answer within 5 s");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return JSON.parse(readFileSync(file, "utf8")) as EventLoopDelay;
}
