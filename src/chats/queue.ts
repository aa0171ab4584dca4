/** How long an exchange stood in a queue, apart from load and prompt, as far as that can be told. */
import type { Exchange } from "../types.ts";

export interface QueueFacts {
  exchange: Pick<Exchange, "usage" | "startedAt" | "stream" | "state">;
  /** Others of the same model were in progress when it came, more than there are slots. */
  behindOthers: boolean;
  /** When a slot became free: the end of an exchange in front, epoch ms. */
  slotFreeAt?: number;
  /** What no duration names when nobody is in front: templates, tokenizing. */
  usualRestMs: number;
}

/** Shorter waits are not worth a word. */
const NOTABLE_MS = 250;

/**
 * Milliseconds. Ollama's own durations first: what total leaves beside load, prompt and answer; where they are missing,
 * the time until the exchange in front ended. 0 for whoever had nobody in front; undefined when nothing tells.
 */
export function queuedMs({ exchange, ...facts }: QueueFacts): number | undefined {
  if (!facts.behindOthers) {
    return 0;
  }
  const rest = unnamedMs(exchange.usage);
  if (rest !== undefined) {
    return Math.max(0, rest - facts.usualRestMs);
  }
  const { state, startedAt } = exchange;
  const until = facts.slotFreeAt;
  const first = "firstTokenAt" in state ? state.firstTokenAt : undefined;
  return until === undefined ? undefined : Math.max(0, Math.min(until, first ?? until) - startedAt);
}

/** Of the whole time, what is neither load, prompt nor answer. */
export function unnamedMs(usage: Exchange["usage"]): number | undefined {
  const { totalMs, loadMs = 0, prefillMs, decodeMs } = usage ?? {};
  return totalMs === undefined || prefillMs === undefined || decodeMs === undefined
    ? undefined
    : Math.max(0, totalMs - loadMs - prefillMs - decodeMs);
}

/** A quarter of a second or more. */
export function isNotable(ms: number | undefined): ms is number {
  return ms !== undefined && ms >= NOTABLE_MS;
}
