/** Says in the log that a model answers at another speed than before, and not each time a busy machine calms down. */
import type { DecodeChange } from "../predict/decodeChange.ts";
import type { Log } from "../types.ts";

type Change = DecodeChange & { model: string };

/** On a machine that does other work speeds go up and down all day. */
const QUIET_MS = 3_600_000;
const PARTS: Record<DecodeChange["part"], string | undefined> = {
  base: "alike at every depth: other work on this machine, a chip that throttles, layers moved to the processor",
  "per-depth": "more the deeper the context: flash attention lost or won",
  unclear: undefined,
};

export function createSpeedNews({ monotonic, log }: { monotonic: () => number; log: Log }) {
  const saidAtMs = new Map<string, number>();
  return (change: Change): void => {
    const { model, direction, part, answers, expectedMs, actualMs } = change;
    const now = monotonic();
    if (now - (saidAtMs.get(model) ?? -Infinity) < QUIET_MS) {
      return;
    }
    const rates = `${perSecond(actualMs)} tok/s where ${perSecond(expectedMs)} were usual`;
    const fields = PARTS[part] === undefined ? {} : { why: PARTS[part] };
    const text = `${model} answers ${direction} than before: ${answers} answers in a row, ${rates}`;
    // That it is faster is no trouble: other work has ended. It keeps no later slowness quiet.
    if (direction === "faster") {
      log.info(text, fields);
      return;
    }
    saidAtMs.set(model, now);
    log.warn(text, fields);
  };
}

function perSecond(msPerToken: number): string {
  return (1000 / msPerToken).toFixed(1);
}
