/** What an answer tells of the runner that gave it. */
import type { Exchange } from "../types.ts";
import { expiryOf, type LoadEntry } from "./loadEntry.ts";
import { askedDifferences } from "./optionDifferences.ts";
import type { RunnerRequest } from "./requests.ts";

const KEPT_CONVERSATIONS = 8;

/** How long it waited for its model. A request that only loads says so by ending. */
export function waitedMs({ operation, startedAt, state, usage }: Exchange): number | undefined {
  return (
    usage?.loadMs ??
    (operation === "load" && state.phase === "completed" ? state.endedAt - startedAt : undefined)
  );
}

/**
 * When Ollama began: it counts from then, and on a busy machine that is well after the request came to us. A reading
 * taken by our own beginning would be one of a load in progress.
 */
export function begunAt({ startedAt, state, usage }: Exchange): number {
  return "endedAt" in state && usage?.totalMs !== undefined
    ? Math.max(startedAt, state.endedAt - usage.totalMs)
    : startedAt;
}

/** Whether there is a reason why this request should not have found the runner, where runners cannot be seen. */
export function asksForLoad(
  entry: LoadEntry,
  exchange: Exchange,
  request: RunnerRequest | undefined,
): boolean {
  const isItsOwn = entry.load.exchangeId === exchange.id;
  if (isItsOwn || entry.process !== undefined || exchange.startedAt < entry.load.startedAt) {
    return false;
  }
  const expiresAt = expiryOf(entry);
  return (
    askedDifferences(entry.options, request?.options).length > 0 ||
    (expiresAt !== undefined && exchange.startedAt >= expiresAt) ||
    entry.unloadAsked ||
    entry.crash !== undefined ||
    entry.serverGone
  );
}

export function noteUse(
  entry: LoadEntry,
  use: { exchange: Exchange; request: RunnerRequest | undefined; at: number },
): void {
  const { exchange, request } = use;
  entry.usedAt = use.at;
  entry.unloadAsked = request?.keepAliveSeconds === 0;
  if (request?.keepAliveSeconds !== undefined) {
    entry.keepAliveMs = request.keepAliveSeconds * 1000;
  }
  if (exchange.contextTokensUsed !== undefined) {
    const chat = exchange.conversationId ?? "";
    // A turn takes the place of the one before it.
    entry.usedTokens.delete(chat);
    entry.usedTokens.set(chat, exchange.contextTokensUsed);
    if (entry.usedTokens.size > KEPT_CONVERSATIONS) {
      entry.usedTokens.delete(entry.usedTokens.keys().next().value ?? "");
    }
  }
  if (exchange.status === 200) {
    entry.crash = undefined;
  }
}
