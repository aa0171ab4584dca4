import type { Exchange, Usage } from "../src/types.ts";

/** Tokens per second of generation, from a finished exchange. */
export function decodeTokensPerSecond(usage: Usage | undefined): number | undefined {
  return perSecond(usage?.outputTokens, usage?.decodeMs);
}

/** Milliseconds to the first token, from the request's start. */
export function firstTokenMs(exchange: Exchange): number | undefined {
  const { state } = exchange;
  if (!("firstTokenAt" in state) || state.firstTokenAt === undefined) return undefined;
  return Math.max(0, state.firstTokenAt - exchange.startedAt);
}

/**
 * Tokens per second of an exchange in progress: events that carried text since the first one. `seenAt` is when the last of them was
 * seen; counting up to now instead would let the rate sag between two updates.
 */
export function liveTokensPerSecond(exchange: Exchange, seenAt: number): number | undefined {
  const { state, contentChunkCount } = exchange;
  if (state.phase !== "streaming" || contentChunkCount === undefined) return undefined;
  const elapsedMs = seenAt - state.firstTokenAt;
  // The first second says more about buffering than about speed.
  return elapsedMs < 1000 ? undefined : perSecond(contentChunkCount - 1, elapsedMs);
}

function perSecond(count: number | undefined, milliseconds: number | undefined): number | undefined {
  if (!count || !milliseconds || count < 0 || milliseconds < 0) return undefined;
  return (count / milliseconds) * 1000;
}
