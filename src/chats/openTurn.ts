/** An exchange on its way: what was known when it began, and what its figures say once it has ended. */
import type { CachedPrompt } from "../predict/promptCache.ts";
import type { ChatModel, AnswerFacts, Exchange, NoticeKind, RequestFacts } from "../types.ts";
import { stepsOf, type ChatState } from "./chatState.ts";
import { tokensPerTurn } from "./cliff.ts";
import type { Window } from "./judgeTurn.ts";
import type { Place } from "./place.ts";
import type { SentEstimate } from "./sentTokens.ts";
import type { PromptShape, Turn } from "./turn.ts";

export interface OpenTurn {
  turn: Turn;
  facts: RequestFacts;
  place?: Place;
  chat?: ChatState;
  before?: Turn;
  sent?: SentEstimate;
  /** What the runner's memory was said to grow by. */
  predictedGrowthBytes?: number;
}

/** With what its answer said. */
export interface EndedTurn extends OpenTurn {
  exchange: Exchange;
  answer?: AnswerFacts;
  /** No other exchange of its model was in progress meanwhile: its times are the model's own. */
  alone: boolean;
}

/** Milliseconds to read a prompt; undefined while the model's speed is not known. */
export type MsOf = (work: { uncachedTokens: number; cachedTokens: number }) => number | undefined;

/**
 * A generate is one message however long; a request that names an earlier answer instead of repeating the history has
 * none.
 */
export function promptOf(facts: RequestFacts, isGenerate: boolean): PromptShape {
  const known = facts.unread === undefined;
  const elsewhere =
    facts.conversation?.context !== undefined || facts.conversation?.previousResponseId !== undefined;
  return {
    ...(known && facts.textBytes !== undefined && { textBytes: facts.textBytes }),
    ...(known && facts.newTextBytes !== undefined && { newTextBytes: facts.newTextBytes }),
    messageCount: elsewhere ? 0 : isGenerate ? 1 : (facts.messageCount ?? 1),
    imageCount: facts.imageCount ?? 0,
    ...(facts.maxOutputTokens !== undefined && { maxOutputTokens: facts.maxOutputTokens }),
  };
}

/** A window that was asked for is the one there is: Ollama replaces a runner that has another one. */
export function windowOf(exchange: Exchange, model: ChatModel): Window | undefined {
  const asked = exchange.requestedContextLength;
  const most = model.trainedContextLength ?? Infinity;
  if (asked !== undefined && asked > 0) {
    return asked > most ? { contextLength: most, reducedFrom: asked } : { contextLength: asked };
  }
  const contextLength = exchange.contextLength ?? model.contextLength;
  return contextLength === undefined ? undefined : { contextLength };
}

/** What a slot holds after a turn: the last token of an answer is not in it. */
export function heldTokens(turn: Turn | undefined): number {
  return turn?.inputTokens === undefined || turn.cut
    ? 0
    : Math.max(0, turn.inputTokens + (turn.outputTokens ?? 0) - 1);
}

/** `cut`: its beginning is not that of the turn before, so that nothing of that is shared. */
export function cachedPrompt(
  { chat, before, place, turn }: OpenTurn,
  inputTokens: number,
  cut: boolean,
): CachedPrompt {
  return {
    conversation: place?.conversationId ?? turn.exchangeId,
    inputTokens,
    sharedTokens: cut ? 0 : before === undefined ? (chat?.systemTokens ?? 0) : heldTokens(before),
  };
}

/** Ollama's own figure; where a dialect has none, the wait for the first token of an exchange that nobody held up. */
export function prefillMsOf(
  { usage, state, stream, startedAt }: Exchange,
  alone: boolean,
): number | undefined {
  const first = "firstTokenAt" in state ? state.firstTokenAt : undefined;
  return (
    usage?.prefillMs ?? (alone && stream === true && first !== undefined ? first - startedAt : undefined)
  );
}

/** Fast enough to have had its beginning cached, while a whole window would have taken far longer. */
export function wasReused({ exchange, before }: EndedTurn, msOf: MsOf): boolean {
  const { inputTokens, prefillMs } = exchange.usage ?? {};
  const held = Math.min((inputTokens ?? 0) - 1, heldTokens(before));
  if (inputTokens === undefined || prefillMs === undefined || held <= 0) {
    return false;
  }
  const reused = msOf({ uncachedTokens: inputTokens - held, cachedTokens: held });
  const whole = msOf({ uncachedTokens: inputTokens, cachedTokens: 0 });
  return reused !== undefined && whole !== undefined && whole > 4 * reused && prefillMs < 1.5 * reused;
}

/** Tokens of the largest message there may be in the history, answers included; undefined when none is known. */
export function largestMessage({ chat, before }: EndedTurn): number | undefined {
  const answers = [...(chat?.turns.values() ?? [])].map(({ outputTokens }) => outputTokens ?? 0);
  const largest = Math.max(chat?.largestMessageTokens ?? 0, before?.outputTokens ?? 0, ...answers);
  return largest > 0 ? largest : undefined;
}

/** What a chat that goes on will send next. */
export function nextPrompt(chat: ChatState | undefined): CachedPrompt | undefined {
  const latest = chat?.latest;
  if (chat === undefined || latest?.inputTokens === undefined || latest.sentTokens === undefined) {
    return undefined;
  }
  const step = tokensPerTurn(stepsOf(chat))?.predicted ?? latest.outputTokens ?? 0;
  const fits = latest.sentTokens + step <= (chat.contextLength ?? Infinity) && !latest.cut;
  return {
    conversation: chat.id,
    inputTokens: fits ? latest.inputTokens + step : latest.inputTokens,
    sharedTokens: fits ? heldTokens(latest) : 0,
  };
}

const LOSING: ReadonlySet<NoticeKind> = new Set<NoticeKind>(["truncated", "messages-dropped"]);

/** A turn as the record has it. How many messages it had is not kept: one fewer than what goes on from it, at least. */
export function turnOnRecord(exchange: Exchange, next: PromptShape): Turn | undefined {
  const { usage, notices, turn = 1, id } = exchange;
  if (usage?.inputTokens === undefined || usage.provenance !== "measured") {
    return undefined;
  }
  const lost = notices.reduce(
    (sum, { kind, tokensLost = 0 }) => sum + (LOSING.has(kind) ? tokensLost : 0),
    0,
  );
  const forgot = notices.some(({ kind }) => kind === "context-shifted");
  return {
    exchangeId: id,
    turn,
    prompt: { messageCount: Math.max(0, next.messageCount - 1), imageCount: next.imageCount },
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens ?? 0,
    sentTokens: usage.inputTokens + lost,
    cut: lost > 0 || forgot,
  };
}
