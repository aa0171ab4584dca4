/** Whether the runner really held the earlier turns of a conversation that went on: its prompt time tells. */
import type { Guess } from "./guessTypes.ts";
import type { PrefillModel } from "./prefillModel.ts";

/** Less apart than this, the two cases cannot be told from one another. */
const TOLD_APART = 3;
const SMOOTHING = 0.3;
const USUAL_SHARE = 1;
/** Below a half: who expects all of a prompt and is wrong is wrong by more than who expects its new part and is wrong. */
const WORTH_BELIEVING = 0.35;

/** Told by a prompt's time, never by what was assumed of it. */
export interface SeenReuse {
  /** Tokens of the earlier turn that the runner held, 0 when it computed all of it again. */
  cachedTokens: number;
}

/**
 * What the prompt time says of a request that goes on from an earlier one: nearer to that of the new tokens alone, or to
 * that of all of them. Undefined for other requests, and where both would take about as long. Windows, states and answers
 * that come back in other tokens than they were made of can cost a runner everything it held.
 */
export function seenReuse(
  { basis, input }: Guess,
  { inputTokens, ms }: { inputTokens: number; ms: number },
  prefill: Pick<PrefillModel, "msOf">,
): SeenReuse | undefined {
  const { earlier } = basis;
  if (earlier === undefined || basis.cut || basis.returned || input.cachedTokens !== undefined) {
    return undefined;
  }
  const held = Math.min(earlier.inputTokens + earlier.outputTokens - 1, inputTokens - 1);
  const cachedMs = prefill.msOf({ uncachedTokens: inputTokens - held, cachedTokens: held });
  const wholeMs = prefill.msOf({ uncachedTokens: inputTokens, cachedTokens: 0 });
  if (cachedMs === undefined || wholeMs === undefined || held <= 0 || wholeMs < TOLD_APART * cachedMs) {
    return undefined;
  }
  const reused = ms * ms < cachedMs * wholeMs;
  return { cachedTokens: reused ? held : 0 };
}

/** Share of such requests whose earlier turns were held, newer ones counting more. */
export function nextReuseShare(share: number | undefined, { cachedTokens }: SeenReuse): number {
  const before = share ?? USUAL_SHARE;
  return before + SMOOTHING * ((cachedTokens > 0 ? 1 : 0) - before);
}

/** Held, unless that was rarely so of late. */
export function continuationIsHeld(share: number | undefined): boolean {
  return (share ?? USUAL_SHARE) >= WORTH_BELIEVING;
}
