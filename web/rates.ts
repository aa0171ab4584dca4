import type { Exchange } from "../src/types.ts";

// Shorter than this, the answer came in one piece and its duration is that of the network.
const shortestStreamMs = 500;

/**
 * Tokens per second of generation, from a finished exchange: by Ollama's own decode time, or, in dialects that do not carry it, by the
 * time from the first token to the end of the stream.
 */
export function decodeTokensPerSecond({ usage, stream, state }: Exchange): number | undefined {
  if (usage?.decodeMs !== undefined) return perSecond(usage.outputTokens, usage.decodeMs);
  if (!stream || state.phase !== "completed" || state.firstTokenAt === undefined) return undefined;
  const streamMs = state.endedAt - state.firstTokenAt;
  return streamMs < shortestStreamMs ? undefined : perSecond((usage?.outputTokens ?? 0) - 1, streamMs);
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
