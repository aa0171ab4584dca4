/** Keeps rounds apart from what other programs do on the machine. */
import type { Proc } from "./proc.ts";

export class BusyError extends Error {}

export interface QuietParts {
  proc: Proc;
  /** What descends from this process is ours. */
  ownPid: number;
  cores: number;
  monotonic: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  /** Go on all the same, and have it said in the report. */
  busyOk: boolean;
  /** How long one look before a round takes. */
  lookMs: number;
}

export interface Quiet {
  /**
   * Waits until others leave the processors alone, then does the work, again if they came back meanwhile.
   * @throws BusyError when they do not leave within a minute, or come back each time.
   */
  quietly<Value>(work: () => Promise<Value>): Promise<Value>;
  /** Largest share of all processors that others had during work whose outcome was kept. */
  othersMaxRatio(): number;
}

/** Above this share of all processors in the hands of others, a round would measure them too. */
const OTHERS_LIMIT_RATIO = 0.25;
const PATIENCE_MS = 60_000;
const ATTEMPTS = 4;

export function createQuiet(parts: QuietParts): Quiet {
  const { monotonic, busyOk } = parts;
  let maxRatio = 0;

  const untilQuiet = async (): Promise<void> => {
    const startMs = monotonic();
    for (;;) {
      const { othersRatio } = await watched(parts, () => parts.sleep(parts.lookMs));
      if (othersRatio <= OTHERS_LIMIT_RATIO || busyOk) {
        return;
      }
      if (monotonic() - startMs > PATIENCE_MS) {
        throw busy(othersRatio, "for a minute it has not been less");
      }
    }
  };

  return {
    async quietly(work) {
      for (let attempt = 1; ; attempt += 1) {
        await untilQuiet();
        const { value, othersRatio } = await watched(parts, work);
        if (othersRatio <= OTHERS_LIMIT_RATIO || busyOk) {
          maxRatio = Math.max(maxRatio, othersRatio);
          return value;
        }
        if (attempt === ATTEMPTS) {
          throw busy(othersRatio, `${ATTEMPTS} times in a row while something was measured`);
        }
      }
    },
    othersMaxRatio: () => maxRatio,
  };
}

function busy(othersRatio: number, since: string): BusyError {
  return new BusyError(
    `the machine is busy: other programs use ${(othersRatio * 100).toFixed(0)} % of the processors, ${since} (${OTHERS_LIMIT_RATIO * 100} % are allowed). Stop them, or measure all the same with --busy-ok, which the report then says.`,
  );
}

async function watched<Value>(
  { proc, ownPid, cores, monotonic }: QuietParts,
  work: () => Promise<Value>,
): Promise<{ value: Value; othersRatio: number }> {
  const own = proc.withDescendants([ownPid]);
  const before = { machineMs: proc.machineCpuMs(), ownMs: proc.cpuMs(own), atMs: monotonic() };
  const value = await work();
  const othersMs = proc.machineCpuMs() - before.machineMs - (proc.cpuMs(own) - before.ownMs);
  return { value, othersRatio: Math.max(0, othersMs / ((monotonic() - before.atMs) * cores)) };
}
