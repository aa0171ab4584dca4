/** What a target's processes use while something is measured. */
import type { Proc } from "../machine/proc.ts";
import type { Target } from "../targets/target.ts";

export interface Usage {
  cpuMs: number;
  rssMaxBytes: number;
  rssBeforeBytes: number;
}

const LOOK_EVERY_MS = 200;

/** Usage while `work` runs; none for a target without a process. */
export async function watchWhile<Value>(
  proc: Proc,
  target: Target,
  work: () => Promise<Value>,
): Promise<{ value: Value; usage?: Usage }> {
  if (target.pid === undefined) {
    return { value: await work() };
  }
  const pids = proc.withDescendants([target.pid]);
  const cpuBeforeMs = proc.cpuMs(pids);
  const rssBeforeBytes = proc.rssBytes(pids);
  let rssMaxBytes = rssBeforeBytes;
  const timer = setInterval(() => {
    rssMaxBytes = Math.max(rssMaxBytes, proc.rssBytes(pids));
  }, LOOK_EVERY_MS);
  try {
    const value = await work();
    const cpuMs = proc.cpuMs(pids) - cpuBeforeMs;
    rssMaxBytes = Math.max(rssMaxBytes, proc.rssBytes(pids));
    return { value, usage: { cpuMs, rssMaxBytes, rssBeforeBytes } };
  } finally {
    clearInterval(timer);
  }
}

export const MIB = 2 ** 20;
