/** How long a request waits for a slot: Ollama answers as many at once as it has slots for, in the order they came. */
import type { Guess } from "./guessTypes.ts";

/** An exchange of the same model that came before this one and has not ended. */
export interface Ahead {
  /** Epoch milliseconds. */
  startedAt: number;
  firstTokenAt?: number;
  /** Tokens it has sent so far. */
  outputTokens?: number;
  guess?: Guess;
}

/**
 * Milliseconds until one of `slots` is free, 0 if one is. Undefined when the end of an exchange that stands in the way
 * cannot be told.
 */
export function guessQueueMs(
  ahead: readonly Ahead[],
  { slots, now }: { slots: number; now: number },
): number | undefined {
  const width = Math.max(1, Math.trunc(Number.isFinite(slots) ? slots : 1));
  if (ahead.length < width) {
    return 0;
  }
  const freeAt = Array.from({ length: width }, () => 0);
  for (const entry of ahead.toSorted((left, right) => left.startedAt - right.startedAt)) {
    const remaining = remainingMs(entry, now);
    if (remaining === undefined) {
      return undefined;
    }
    const next = freeAt.indexOf(Math.min(...freeAt));
    freeAt[next] = (freeAt[next] ?? 0) + remaining;
  }
  return Math.min(...freeAt);
}

function remainingMs({ startedAt, firstTokenAt, outputTokens = 0, guess }: Ahead, now: number) {
  const rate = guess?.prediction.decodeTokensPerSecond?.predicted;
  const expected = guess?.basis.outputTokens;
  if (rate === undefined || expected === undefined || rate <= 0) {
    return undefined;
  }
  if (firstTokenAt !== undefined) {
    return (Math.max(0, expected - outputTokens) / rate) * 1000;
  }
  const untilFirst = guess?.prediction.prefillMs?.predicted;
  const waited = Math.max(0, now - startedAt);
  return untilFirst === undefined ? undefined : Math.max(0, untilFirst - waited) + (expected / rate) * 1000;
}
