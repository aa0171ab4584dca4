/**
 * Watches the tokens of every chat: how full its window is, what Ollama left out, the cliff, what a runner's memory
 * grows by, how much is left. Pure but for what it remembers; time and memory come in with the calls.
 */
import { scoredOfExchange, type ScoredValue } from "../predict/accuracy.ts";
import { median } from "../predict/quantile.ts";
import type {
  ChatModel,
  AnswerFacts,
  Conversation,
  Exchange,
  ExchangePrediction,
  Growth,
  LoadedModel,
  NoticeKind,
  RequestFacts,
} from "../types.ts";
import { remember } from "./bounded.ts";
import { addNotice, shareOut, type ChatState } from "./chatState.ts";
import { cliffCosts } from "./cliffCosts.ts";
import { createCliffTurns } from "./cliffTurns.ts";
import { grewAfter, type CliffCosts } from "./cliffWatch.ts";
import { createCures, type CureParts } from "./cures.ts";
import { createFollowed, type FollowedParts } from "./followed.ts";
import { judgeTurn, type TurnJudgement } from "./judgeTurn.ts";
import { learnTurn } from "./learnTurn.ts";
import { createLearnedByModel, type LearnedFigures } from "./learnedByModel.ts";
import {
  cachedPrompt,
  largestMessage,
  nextPrompt,
  promptOf,
  wasReused,
  windowOf,
  type EndedTurn,
  type MsOf,
  type OpenTurn,
} from "./openTurn.ts";
import { withTold } from "./notices.ts";
import type { Place } from "./place.ts";
import { createGrowthWatch } from "./growthWatch.ts";
import { tellChat } from "./tellChat.ts";
import type { Turn } from "./turn.ts";

export interface ChatWatch {
  /** A request has been read; `place` is absent where it belongs to no conversation. */
  began(exchange: Exchange, facts: RequestFacts, place?: Place): void;
  /** `alone`: no other exchange of its model was in progress meanwhile. */
  ended(exchange: Exchange, answer: AnswerFacts | undefined, circumstances: { alone: boolean }): void;
  /** Its context has become known only now. */
  amended(exchange: Exchange): void;
  /** Memory was read, and which of the models are computing. `at` in epoch ms. */
  sampled(models: readonly LoadedModel[], isBusy: (model: string) => boolean, at: number): void;
  /** What a loaded model has grown by. */
  growth(model: LoadedModel): Growth | undefined;
  conversation(id: string): Conversation | undefined;
  /** Of an exchange, what is usually in no duration of Ollama's. */
  restMs(model: string): number;
  forget(conversationId?: string): void;
}

export interface ChatWatchParts extends CureParts, FollowedParts {
  ollamaVersion(): string | undefined;
  /** With a context, as it would be with that one. */
  model(name: string, contextLength?: number): ChatModel;
  /** Learned earlier, for a model that has not been heard of since the start. */
  prefillMs(model: string, work: { uncachedTokens: number; cachedTokens: number }): number | undefined;
  headroomBytes(): number | undefined;
  scored(values: ScoredValue[]): void;
  changed(conversation: Conversation): void;
  /** An exchange that has ended knows more now. */
  completed(exchange: Exchange): void;
}

const MOST_OPEN = 1024;
const MOST_UNJUDGED = 64;
/** Kinds that are given here; judged again, they go first. */
const OWN_KINDS: ReadonlySet<NoticeKind> = new Set<NoticeKind>([
  "truncated",
  "messages-dropped",
  "context-shifted",
  "context-full",
  "prompt-too-long",
  "context-reduced",
  "cliff-ahead",
  "cliff",
]);

interface Ran {
  exchange: Exchange;
  chat?: ChatState;
  /** A turn after the one that went over the cliff. */
  over: boolean;
}

export function createChatWatch(parts: ChatWatchParts): ChatWatch {
  const models = createLearnedByModel();
  const cures = createCures(parts);
  const chats = createFollowed(parts);
  const open = new Map<string, OpenTurn>();
  /** Ended before their window was known. */
  const unjudged = new Map<string, EndedTurn>();
  const runners = createGrowthWatch<Ran>({ models, model: parts.model, grew });

  const msOf =
    (model: ChatModel, learned: LearnedFigures): MsOf =>
    (work) =>
      learned.prefill.msOf(work) ?? parts.prefillMs(model.key, work);

  const costsOf = (model: ChatModel, learned: LearnedFigures): CliffCosts =>
    cliffCosts(model, learned, { prefillMs: msOf(model, learned), ollamaVersion: parts.ollamaVersion() });

  const cliff = createCliffTurns({ cures, costsOf, score });

  function began(exchange: Exchange, facts: RequestFacts, place?: Place): void {
    const { model: name, operation } = exchange;
    if (name === undefined || (operation !== "chat" && operation !== "generate")) {
      return;
    }
    const model = parts.model(name, exchange.requestedContextLength);
    const learned = models.of(model.key);
    const chat = place === undefined ? undefined : chats.at(place, exchange, learned.ratio);
    const before = place?.previousId === undefined ? undefined : chat?.turns.get(place.previousId);
    const prompt = promptOf(facts, operation === "generate");
    // Another model counts the same text otherwise.
    const comparable = chat?.model === undefined || chat.model === name;
    const told = learned.sizes.of(prompt);
    const sent =
      told === undefined
        ? chat?.sent.estimate(prompt, comparable ? before : undefined)
        : { best: told, low: told - 2, anchored: false };
    const turn: Turn = { exchangeId: exchange.id, turn: place?.turn ?? 1, prompt, cut: false };
    const entry: OpenTurn = { turn, facts, place, chat, before: comparable ? before : undefined, sent };
    remember(open, exchange.id, entry, MOST_OPEN);
    if (chat !== undefined && before === undefined && place?.previousId !== undefined) {
      chats.askForBefore(entry, chat, place.previousId);
    }
    const window = windowOf(exchange, model);
    if (sent !== undefined) {
      const read = Math.min(sent.best, window?.contextLength ?? Infinity);
      entry.predictedGrowthBytes = runners.expectedBytes(model, cachedPrompt(entry, read, read < sent.best));
    }
    if (chat === undefined || place === undefined || !isFollowed(place)) {
      return;
    }
    chat.model = name;
    chat.turnCount = Math.max(chat.turnCount, place.turn);
    chat.branchCount += place.isBranch ? 1 : 0;
    if (sent !== undefined && window !== undefined && before !== undefined && chat.overAtTurn === undefined) {
      shareOut(chat, sent.best, facts.conversation?.messages);
      cliff.ahead({ exchange, entry, chat, model, learned, window, sentTokens: Math.round(sent.best) });
    }
  }

  function ended(exchange: Exchange, answer: AnswerFacts | undefined, { alone }: { alone: boolean }): void {
    const begun = open.get(exchange.id);
    open.delete(exchange.id);
    if (begun === undefined || exchange.model === undefined) {
      return;
    }
    const entry: EndedTurn = { ...begun, exchange, alone, answer };
    const model = parts.model(exchange.model, exchange.requestedContextLength);
    const learned = models.of(model.key);
    judge(entry, model, learned);
    if (windowOf(exchange, model) === undefined && exchange.status === 200) {
      remember(unjudged, exchange.id, entry, MOST_UNJUDGED);
    }
    if (learnTurn(entry, learned, msOf(model, learned))) {
      ranOn(entry, model, learned);
    }
    tell(entry, model);
  }

  /** Judges cuts and the cliff; may be called again once the window is known. */
  function judge(entry: EndedTurn, model: ChatModel, learned: LearnedFigures): void {
    const { exchange, chat, turn, sent, answer } = entry;
    const window = windowOf(exchange, model);
    exchange.notices = exchange.notices.filter(({ kind }) => !OWN_KINDS.has(kind));
    if (window !== undefined && exchange.status === 200 && exchange.usage !== undefined) {
      exchange.contextLength = window.contextLength;
    }
    const judgement = judgeTurn({
      exchange,
      answer,
      prompt: turn.prompt,
      window,
      sent,
      largestMessageTokens: largestMessage(entry),
      reused: wasReused(entry, msOf(model, learned)),
      ollamaVersion: parts.ollamaVersion(),
      cure: (tokens, contextLength) =>
        cures({ exchange, contextLength, trainedContextLength: model.trainedContextLength })(tokens),
    });
    count(entry, judgement);
    exchange.notices.push(...judgement.notices);
    learnSize(entry, judgement, learned);
    if (chat === undefined || entry.place === undefined) {
      return;
    }
    judgement.notices.forEach((notice) => addNotice(chat, notice, turn.turn));
    if (isFollowed(entry.place) && turn.sentTokens !== undefined && window !== undefined) {
      const at = { entry, exchange, chat, model, learned, window, sentTokens: turn.sentTokens };
      cliff.ended(at, judgement.promptCuts.length > 0);
    }
  }

  /** What was cut of the same text before is known to the token now. */
  function learnSize(
    { turn, chat, exchange }: EndedTurn,
    judgement: TurnJudgement,
    learned: LearnedFigures,
  ): void {
    const { toldTokens, promptCuts } = judgement;
    if (toldTokens === undefined) {
      if (promptCuts.some(({ kind }) => kind === "truncated")) {
        learned.sizes.wasEstimated(turn.prompt, exchange);
      }
      return;
    }
    chat?.sent.learnTold(turn.prompt, toldTokens);
    for (const earlier of learned.sizes.learn(turn.prompt, toldTokens)) {
      earlier.notices = earlier.notices.map((notice) => withTold(notice, earlier, toldTokens));
      parts.completed(earlier);
    }
  }

  function count({ exchange, turn }: EndedTurn, judgement: TurnJudgement): void {
    const { usage, status } = exchange;
    turn.cut = judgement.promptCuts.length > 0 || judgement.shiftedTokens > 0;
    if (usage?.provenance === "measured" && usage.inputTokens !== undefined && status === 200) {
      turn.inputTokens = usage.inputTokens;
      turn.outputTokens = usage.outputTokens ?? 0;
      turn.sentTokens = judgement.sentTokens ?? usage.inputTokens;
      exchange.contextTokensUsed = judgement.contextTokensUsed ?? exchange.contextTokensUsed;
    }
  }

  function ranOn(entry: EndedTurn, model: ChatModel, learned: LearnedFigures): void {
    const { exchange, chat, turn, predictedGrowthBytes } = entry;
    const inputTokens = turn.inputTokens ?? 0;
    learned.latestConversation = chat?.id;
    runners.ran(model, cachedPrompt(entry, inputTokens, turn.sentTokens !== inputTokens), {
      outputTokens: turn.outputTokens ?? 0,
      predicted: predictedGrowthBytes,
      endedAt: "endedAt" in exchange.state ? exchange.state.endedAt : undefined,
      whose: { exchange, chat, over: chat?.overAtTurn !== undefined && turn.turn > chat.overAtTurn },
    });
  }

  /** Several, where they followed each other faster than memory is read: then each added this much on average. */
  function grew(ran: readonly Ran[], growth: NonNullable<ExchangePrediction["grownBytes"]>): void {
    const { exchange, chat } = ran.at(-1) ?? {};
    if (exchange === undefined) {
      return;
    }
    const over = ran.every((each) => each.over && each.chat === chat);
    const values: ExchangePrediction = { grownBytes: growth };
    if (chat !== undefined && over && growth.actual !== undefined) {
      const bytesPerTurn = grewAfter(chat, growth.actual, median);
      if (bytesPerTurn !== undefined) {
        values.cliffBytes = bytesPerTurn;
      }
    }
    score(exchange, values);
    parts.completed(exchange);
    if (chat?.model !== undefined) {
      parts.changed(publicOf(chat, parts.model(chat.model)));
    }
  }

  function score(exchange: Exchange, values: ExchangePrediction): void {
    exchange.prediction = { ...exchange.prediction, ...values };
    parts.scored(scoredOfExchange({ ...exchange, prediction: values }));
  }

  function tell({ chat, exchange }: EndedTurn, model: ChatModel): void {
    if (chat !== undefined) {
      chat.lastAt = "endedAt" in exchange.state ? exchange.state.endedAt : exchange.startedAt;
      chat.contextLength = exchange.contextLength ?? chat.contextLength;
      chat.contextTokensUsed = exchange.contextTokensUsed ?? chat.contextTokensUsed;
      const others = exchange.notices.filter(({ kind }) => !OWN_KINDS.has(kind));
      others.forEach((notice) => addNotice(chat, notice, exchange.turn ?? 1));
      parts.changed(publicOf(chat, model));
    }
  }

  function publicOf(chat: ChatState, model: ChatModel): Conversation {
    const { growth } = models.of(model.key);
    return tellChat(chat, { model, growth, headroomBytes: parts.headroomBytes() });
  }

  return {
    began,
    ended,
    amended(exchange) {
      const entry = unjudged.get(exchange.id);
      unjudged.delete(exchange.id);
      if (entry !== undefined && exchange.model !== undefined) {
        const model = parts.model(exchange.model, exchange.requestedContextLength);
        judge({ ...entry, exchange }, model, models.of(model.key));
        tell({ ...entry, exchange }, model);
      }
    },
    sampled: runners.sampled,
    growth: (model) =>
      runners.growth(model, ({ latestConversation }) => nextPrompt(chats.get(latestConversation))),
    conversation(id) {
      const chat = chats.get(id);
      return chat?.model === undefined ? undefined : publicOf(chat, parts.model(chat.model));
    },
    restMs: (model) => models.of(parts.model(model).key).restMs.median() ?? 0,
    forget(conversationId) {
      chats.forget(conversationId);
      if (conversationId === undefined) {
        unjudged.clear();
        models.forgetAll();
      }
    },
  };
}

/** Chats of people grow towards their window; what programs ask stands by itself. */
function isFollowed({ purpose }: Place): boolean {
  return purpose === "chat";
}
