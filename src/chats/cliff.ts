/**
 * The cliff: the turn from which a chat no longer fits its window. Until then a turn computes what is new in it; from
 * then on the oldest messages are left out, nothing matches what the runner has, and each turn computes the whole window.
 */
import { quantile } from "../predict/quantile.ts";
import type { Predicted } from "../types.ts";
import { dropOldest } from "./dropping.ts";

export interface ChatLength {
  /** The turn now. */
  turn: number;
  /** Of its prompt, whole. */
  sentTokens: number;
  /** Of one slot. */
  contextLength: number;
  /** Tokens by which the last prompts grew from turn to turn, the latest last. */
  steps: readonly number[];
  /** Tokens of the messages in the history, the oldest first, without the system's. */
  oldest: readonly number[];
}

export interface CliffAhead {
  atTurn: Predicted;
  turnsAhead: number;
  /** What the model will read of the first prompt that does not fit. */
  inputTokens: number;
}

/** What one turn adds, from the last few: one large paste does not make a habit. */
const STEPS = 6;

/**
 * Tokens by which prompts grow: median of the last six steps, with one in ten below and one in ten above the range.
 * Undefined before the first step that grew.
 */
export function tokensPerTurn(steps: readonly number[]): Predicted | undefined {
  const recent = steps.slice(-STEPS).filter((step) => step > 0);
  const predicted = quantile(recent, 0.5);
  const low = quantile(recent, 0.1);
  const high = quantile(recent, 0.9);
  return predicted === undefined || low === undefined || high === undefined
    ? undefined
    : { predicted: Math.round(predicted), low: Math.floor(low), high: Math.ceil(high) };
}

/** Undefined when nothing tells how the chat grows. `turnsAhead` 0: this turn does not fit. */
export function cliffAhead(chat: ChatLength): CliffAhead | undefined {
  const perTurn = tokensPerTurn(chat.steps);
  const room = chat.contextLength - chat.sentTokens;
  if (room < 0) {
    return {
      atTurn: exactly(chat.turn),
      turnsAhead: 0,
      inputTokens: dropOldest(chat.sentTokens, chat.contextLength, chat.oldest).inputTokens,
    };
  }
  if (perTurn === undefined) {
    return undefined;
  }
  const after = (tokens: number): number => Math.floor(room / Math.max(1, tokens)) + 1;
  const turnsAhead = after(perTurn.predicted);
  const sentThen = chat.sentTokens + turnsAhead * perTurn.predicted;
  return {
    atTurn: {
      predicted: chat.turn + turnsAhead,
      low: chat.turn + Math.min(turnsAhead, after(perTurn.high ?? perTurn.predicted)),
      high: chat.turn + Math.max(turnsAhead, after(perTurn.low ?? perTurn.predicted)),
    },
    turnsAhead,
    inputTokens: Math.round(dropOldest(sentThen, chat.contextLength, chat.oldest).inputTokens),
  };
}

function exactly(value: number): Predicted {
  return { predicted: value, low: value, high: value };
}

/** `predicted` with what then happened. */
export function scored(predicted: Predicted, actual: number | undefined): Predicted {
  return actual === undefined || !(actual > 0)
    ? predicted
    : { ...predicted, actual, errorRatio: (predicted.predicted - actual) / actual };
}
