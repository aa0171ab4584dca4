import type { Exchange, Load } from "../src/types.ts";
import type { LiveExchange } from "./state.ts";

/** How many tokens the chats of a model had in its cells, over time. */
export interface Occupancy {
  /** Share of a load's cells that held tokens at a moment; 0 where nothing is known. */
  ratio(load: Load, at: number): number;
}

interface Step {
  at: number;
  conversation: string;
  tokens: number;
}

/**
 * Each slot of a runner keeps the cells of the chat it served last. So what is occupied at a moment is what the latest chats, as many as
 * there are slots, had after their latest turns since the load.
 */
export function occupancyOf(ended: readonly Exchange[], live: readonly LiveExchange[] = []): Occupancy {
  const steps = new Map<string, Step[]>();
  const add = (exchange: Exchange, at: number, tokens: number | undefined): void => {
    if (exchange.model === undefined || tokens === undefined) return;
    const own = steps.get(exchange.model) ?? [];
    own.push({ at, conversation: exchange.conversationId ?? exchange.id, tokens });
    steps.set(exchange.model, own);
  };
  for (const exchange of ended) {
    if ("endedAt" in exchange.state) add(exchange, exchange.state.endedAt, exchange.contextTokensUsed);
  }
  for (const { exchange } of live) {
    const { state, prediction } = exchange;
    if (state.phase === "streaming") add(exchange, state.firstTokenAt, prediction?.inputTokens?.predicted);
  }
  for (const own of steps.values()) own.sort((a, b) => b.at - a.at);
  return {
    ratio(load, at) {
      const { contextLength, parallel = 1 } = load;
      if (!contextLength) return 0;
      return Math.min(1, tokensAt(steps.get(load.model) ?? [], load, at) / (contextLength * parallel));
    },
  };
}

/** `steps` newest first. */
function tokensAt(steps: readonly Step[], load: Load, at: number): number {
  const seen = new Set<string>();
  let tokens = 0;
  for (const step of steps) {
    if (step.at < load.startedAt || seen.size >= (load.parallel ?? 1)) break;
    if (step.at > at || seen.has(step.conversation)) continue;
    seen.add(step.conversation);
    tokens += step.tokens;
  }
  return tokens;
}
