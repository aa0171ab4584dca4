/** Whether the machine is quiet enough to be measured on. */
import type { Proc } from "./proc.ts";

export class BusyError extends Error {}

export interface QuietParts {
  proc: Proc;
  ownPid: number;
  cores: number;
  monotonic: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  /** Go on all the same, and have it said in the report. */
  busyOk: boolean;
  /** How long one look takes. */
  lookMs: number;
}

/** Above this share of all processors in the hands of others, a round would measure them too. */
const OTHERS_LIMIT_RATIO = 0.25;
const PATIENCE_MS = 60_000;

/** Waits until others leave the processors alone. Answers their share in the last look; throws when they do not. */
export async function waitUntilQuiet(parts: QuietParts): Promise<number> {
  const startMs = parts.monotonic();
  for (;;) {
    const ratio = await othersRatio(parts);
    if (ratio <= OTHERS_LIMIT_RATIO || parts.busyOk) {
      return ratio;
    }
    if (parts.monotonic() - startMs > PATIENCE_MS) {
      throw new BusyError(
        `the machine is busy: other programs use ${(ratio * 100).toFixed(0)} % of the processors, and for a minute it has not been under ${OTHERS_LIMIT_RATIO * 100} %. Stop them, or measure all the same with --busy-ok, which the report then says.`,
      );
    }
  }
}

async function othersRatio({ proc, ownPid, cores, monotonic, sleep, lookMs }: QuietParts): Promise<number> {
  const own = proc.withDescendants([ownPid]);
  const before = { machine: proc.machineCpuMs(), own: proc.cpuMs(own), atMs: monotonic() };
  await sleep(lookMs);
  const othersMs = proc.machineCpuMs() - before.machine - (proc.cpuMs(own) - before.own);
  return Math.max(0, othersMs / ((monotonic() - before.atMs) * cores));
}
