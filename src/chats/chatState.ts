/** One conversation as it is followed: its turns, how it grows, what befell it. Holds counts, never text. */
import { median } from "../predict/quantile.ts";
import type { Cliff, Conversation, ConversationClues, Notice, Predicted, Purpose } from "../types.ts";
import { tokensPerTurn } from "./cliff.ts";
import type { Place } from "./place.ts";
import { createSentTokens, type SentTokens, type TokenRatio } from "./sentTokens.ts";
import type { Turn } from "./turn.ts";

export interface ChatState {
  id: string;
  model?: string;
  client?: string;
  purpose: Purpose;
  startedAt: number;
  lastAt: number;
  turnCount: number;
  branchCount: number;
  sent: SentTokens;
  turns: Map<string, Turn>;
  latest?: Turn;
  /** Tokens by which prompts grew from turn to turn. */
  steps: number[];
  /** Tokens of the system's messages, and of the others, the oldest first. */
  systemTokens: number;
  oldest: number[];
  largestMessageTokens?: number;
  contextLength?: number;
  contextTokensUsed?: number;
  /** What was said of the cliff while it was still two turns ahead or more. */
  said?: SaidOfCliff;
  cliff?: Cliff;
  /** The turn that went over it. */
  overAtTurn?: number;
  growthAfterBytes: number[];
  notices: Notice[];
  /** Of the first turns and of the latest, by depth. */
  rates: { depthTokens: number; tokensPerSecond: number }[];
}

export interface SaidOfCliff {
  atTurn: Predicted;
  prefillMs?: Predicted;
  firstTokenMs?: Predicted;
  bytesPerTurn?: Predicted;
}

/** Answers at each end of a chat that its loss of speed is told from. */
const FEW_RATES = 3;
/** Branches go back some turns; nobody edits further up than this without it being another chat. */
const MOST_TURNS = 128;
const MOST_STEPS = 16;
/** Messages that can be dropped before the forecast matters no more. */
const MOST_OLDEST = 64;

/** A chat as it is before its first turn; `takeUp` adds what was on record of it. */
export function createChatState(
  place: Place,
  facts: { model?: string; client?: string; startedAt: number; ratio: TokenRatio },
): ChatState {
  return {
    id: place.conversationId,
    ...(facts.model !== undefined && { model: facts.model }),
    ...(facts.client !== undefined && { client: facts.client }),
    purpose: place.purpose,
    startedAt: facts.startedAt,
    lastAt: facts.startedAt,
    turnCount: 0,
    branchCount: 0,
    sent: createSentTokens(facts.ratio),
    turns: new Map(),
    steps: [],
    systemTokens: 0,
    oldest: [],
    growthAfterBytes: [],
    notices: [],
    rates: [],
  };
}

/** What was on record of it before the program's start: where it stood, and how it grew. */
export function takeUp(chat: ChatState, kept: Conversation): void {
  chat.startedAt = kept.startedAt;
  chat.turnCount = kept.turnCount;
  chat.branchCount = kept.branchCount ?? 0;
  chat.notices = kept.notices.filter(({ kind }) => kind !== "cliff-ahead");
  chat.steps = kept.tokensPerTurn === undefined ? [] : [kept.tokensPerTurn.predicted];
  if (kept.cliff?.state === "reached") {
    chat.cliff = kept.cliff;
    chat.overAtTurn = kept.cliff.atTurn.actual ?? kept.cliff.atTurn.predicted;
  }
}

/** To be called once the request has been read; the oldest turn gives way. */
export function addTurn(chat: ChatState, turn: Turn): void {
  chat.turns.set(turn.exchangeId, turn);
  if (chat.turns.size > MOST_TURNS) {
    chat.turns.delete(chat.turns.keys().next().value ?? "");
  }
}

/** The turn is over: how much it added, and where the chat stands now. */
export function endTurn(chat: ChatState, turn: Turn, before: Turn | undefined): void {
  const step =
    turn.sentTokens === undefined || before?.sentTokens === undefined
      ? undefined
      : turn.sentTokens - before.sentTokens;
  if (step !== undefined && step > 0) {
    chat.steps = [...chat.steps, step].slice(-MOST_STEPS);
  }
  chat.latest = turn;
}

/** Splits a prompt's tokens over its messages, by their lengths. */
export function shareOut(chat: ChatState, sentTokens: number, messages: ConversationClues["messages"]): void {
  if (messages === undefined || messages.length === 0) {
    return;
  }
  const all = messages.reduce((sum, { length }) => sum + length, 0);
  const frame = Math.min(sentTokens, 4 * messages.length);
  const tokensOf = (length: number): number =>
    frame / messages.length + (all === 0 ? 0 : (length / all) * (sentTokens - frame));
  const others = messages.filter(({ role }) => role !== "system");
  const system = messages.filter(({ role }) => role === "system");
  chat.systemTokens = Math.round(system.reduce((sum, { length }) => sum + tokensOf(length), 0));
  chat.oldest = others.slice(0, MOST_OLDEST).map(({ length }) => tokensOf(length));
  chat.largestMessageTokens = others.reduce((most, { length }) => Math.max(most, tokensOf(length)), 0);
}

/** What grows from turn to turn; after a first turn alone, that turn is the measure. */
export function stepsOf(chat: ChatState): readonly number[] {
  const { latest, steps } = chat;
  if (steps.length > 0 || latest?.inputTokens === undefined || latest.prompt.messageCount !== 1) {
    return steps;
  }
  return [latest.inputTokens + (latest.outputTokens ?? 0)];
}

/** Keeps the latest of each kind, with the turn at which it first befell the chat. */
export function addNotice(chat: ChatState, notice: Notice, turn: number): void {
  const earlier = chat.notices.find(({ kind }) => kind === notice.kind);
  const others = chat.notices.filter(
    ({ kind }) => kind !== notice.kind && !(notice.kind === "cliff" && kind === "cliff-ahead"),
  );
  chat.notices = [...others, { ...notice, atTurn: earlier?.atTurn ?? notice.atTurn ?? turn }];
}

/** The middle of the first three answers and of the last three: single ones vary with what else the machine does. */
export function addRate(chat: ChatState, depthTokens: number, tokensPerSecond: number): void {
  const rate = { depthTokens, tokensPerSecond };
  chat.rates =
    chat.rates.length < 2 * FEW_RATES
      ? [...chat.rates, rate]
      : [...chat.rates.slice(0, FEW_RATES), ...chat.rates.slice(-FEW_RATES + 1), rate];
}

function decayOf({ rates }: ChatState): Conversation["decodeDecay"] {
  const middle = (some: ChatState["rates"]): number | undefined =>
    median(some.map(({ tokensPerSecond }) => tokensPerSecond));
  const first = middle(rates.slice(0, FEW_RATES));
  const latest = middle(rates.slice(-FEW_RATES));
  return rates.length < 2 * FEW_RATES || first === undefined || latest === undefined
    ? undefined
    : {
        firstTokensPerSecond: first,
        latestTokensPerSecond: latest,
        latestDepthTokens: rates.at(-1)?.depthTokens ?? 0,
      };
}

/** `more`: what follows from the model and the machine rather than from the chat. */
export function conversationOf(
  chat: ChatState,
  more: Pick<Conversation, "occupiedBytes" | "allocatedBytes" | "turnsLeft" | "endsFirst">,
): Conversation {
  const perTurn = tokensPerTurn(chat.steps);
  const decodeDecay = decayOf(chat);
  const { contextLength, contextTokensUsed } = chat;
  return {
    id: chat.id,
    ...(chat.model !== undefined && { model: chat.model }),
    ...(chat.client !== undefined && { client: chat.client }),
    startedAt: chat.startedAt,
    lastAt: chat.lastAt,
    turnCount: chat.turnCount,
    purpose: chat.purpose,
    branchCount: chat.branchCount,
    ...(contextLength !== undefined && { contextLength }),
    ...(contextTokensUsed !== undefined && { contextTokensUsed }),
    ...(contextLength !== undefined &&
      contextTokensUsed !== undefined && { tokensLeft: Math.max(0, contextLength - contextTokensUsed) }),
    ...(perTurn !== undefined && { tokensPerTurn: perTurn }),
    ...(decodeDecay !== undefined && { decodeDecay }),
    ...more,
    notices: chat.notices,
    ...(chat.cliff !== undefined && { cliff: chat.cliff }),
  };
}
