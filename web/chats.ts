import type { Conversation, Exchange, Predicted } from "../src/types.ts";
import { formatCount, formatDuration, formatRate } from "./format.ts";
import { decodeTokensPerSecond } from "./rates.ts";
import { turnWords } from "./words.ts";

/** What is said about a conversation. Pure. */

/** Its turns, oldest first: those that the server sent, else those among the exchanges that the page knows. */
export function turnsOf(conversation: Conversation, ended: readonly Exchange[]): Exchange[] {
  const turns =
    conversation.turns ?? ended.filter(({ conversationId }) => conversationId === conversation.id);
  return turns.toSorted((a, b) => (a.turn ?? 0) - (b.turn ?? 0) || a.startedAt - b.startedAt);
}

/** Which of the two limits a chat reaches first, and how many turns that is away. */
export function turnsLeft({
  turnsLeft,
  endsFirst,
}: Conversation): { turns: Predicted; by: "window" | "memory" } | undefined {
  const { window, memory } = turnsLeft ?? {};
  const by = endsFirst ?? (memory && (!window || memory.predicted < window.predicted) ? "memory" : "window");
  const turns = by === "memory" ? (memory ?? window) : (window ?? memory);
  return turns && { turns, by };
}

/** `3 turns left`, `1–4 turns left` where it is not known better. */
export function turnsLeftWords({ predicted, low, high }: Predicted): string {
  const from = Math.floor(Math.max(0, low ?? predicted));
  const to = Math.ceil(high ?? predicted);
  return to - from <= 1 ? `${turnWords(predicted)} left` : `${formatCount(from)}–${turnWords(to)} left`;
}

/** `9.1 → 7.9 tok/s`: how much slower a chat has become. Absent while there is nothing to compare. */
export function decayWords(turns: readonly Exchange[]): string | undefined {
  const rates = turns.map(decodeTokensPerSecond).filter((rate) => rate !== undefined);
  const first = rates[0];
  const last = rates.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return rates.length < 2 ? `${formatRate(last)} tok/s` : `${formatRate(first)} → ${formatRate(last)} tok/s`;
}

/** The page's one term that nobody brings along. */
export const cliffMeaning =
  "The cliff: from this turn on the chat no longer fits its context. The oldest messages are left out, and each answer waits until the whole prompt was read again.";

/** `over the cliff since turn 17: 50 s before each answer`. */
export function cliffWords({ cliff }: Conversation): string | undefined {
  if (!cliff) return undefined;
  const { state, atTurn, prefillMs } = cliff;
  const turn = formatCount(atTurn.actual ?? atTurn.predicted);
  const cost = prefillMs && `: ${formatDuration(prefillMs.actual ?? prefillMs.predicted)} of prefill a turn`;
  return `${state === "reached" ? "over the cliff since" : "cliff ahead at"} turn ${turn}${cost ?? ""}`;
}

/** True for a turn whose prompt lost tokens. */
export function wasCut({ notices }: Exchange): boolean {
  return notices.some(
    ({ kind }) => kind === "truncated" || kind === "messages-dropped" || kind === "context-shifted",
  );
}
