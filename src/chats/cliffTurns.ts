/** What is said of the cliff at each turn of a chat: that it is ahead, that the chat went over it, that it came back. */
import { entryBytes, CHECKPOINTS_OF_A_WHOLE_PROMPT } from "../predict/promptCache.ts";
import type { ChatModel, Exchange, ExchangePrediction } from "../types.ts";
import { addNotice, endTurn, shareOut, stepsOf, type ChatState, type SaidOfCliff } from "./chatState.ts";
import { tokensPerTurn } from "./cliff.ts";
import { announce, cameBack, cliffOf, wentOver, type CliffCosts } from "./cliffWatch.ts";
import type { createCures } from "./cures.ts";
import type { Window } from "./judgeTurn.ts";
import type { LearnedFigures } from "./learnedByModel.ts";
import type { OpenTurn } from "./openTurn.ts";

/** A chat at one of its turns. */
export interface ChatAtTurn {
  entry: OpenTurn;
  exchange: Exchange;
  chat: ChatState;
  model: ChatModel;
  learned: LearnedFigures;
  window: Window;
  sentTokens: number;
}

export interface CliffTurns {
  /** Says turns ahead from which one the chat no longer fits. */
  ahead(at: ChatAtTurn): void;
  /** The turn has ended, and something of its prompt was cut or was not. */
  ended(at: ChatAtTurn, cut: boolean): void;
}

/** `score`: what was said beforehand of a turn that went over, beside what came. */
export function createCliffTurns(parts: {
  cures: ReturnType<typeof createCures>;
  costsOf: (model: ChatModel, learned: LearnedFigures) => CliffCosts;
  score: (exchange: Exchange, values: ExchangePrediction) => void;
}): CliffTurns {
  const { cures, costsOf, score } = parts;

  function cureAt(
    { exchange, model, window }: Pick<ChatAtTurn, "exchange" | "model" | "window">,
    said: SaidOfCliff,
  ) {
    return cures({
      exchange,
      contextLength: window.contextLength,
      trainedContextLength: model.trainedContextLength,
      atTurn: said.atTurn.predicted,
      waitMs: said.prefillMs?.predicted,
      bytesPerTurn: said.bytesPerTurn?.predicted,
    });
  }

  function ahead(at: ChatAtTurn): void {
    const { exchange, chat, window, sentTokens } = at;
    const { turn } = at.entry.turn;
    const now = { turn, sentTokens, contextLength: window.contextLength };
    const found = cliffOf(chat, now, costsOf(at.model, at.learned));
    if (found === undefined) {
      return;
    }
    const step = tokensPerTurn(stepsOf(chat))?.predicted ?? 0;
    const notice = announce(chat, found, () =>
      cureAt(at, found.said)(Math.max(sentTokens, window.contextLength) + step),
    );
    if (notice === undefined) {
      chat.notices = chat.notices.filter(({ kind }) => kind !== "cliff-ahead");
    } else {
      exchange.notices.push(notice);
      addNotice(chat, notice, turn);
    }
  }

  function ended(at: ChatAtTurn, cut: boolean): void {
    const { exchange, chat, model, learned, entry, sentTokens } = at;
    const { turn, before, facts } = entry;
    shareOut(chat, sentTokens, facts.conversation?.messages);
    if (chat.overAtTurn !== undefined) {
      if (cut || !fitsWhole(at)) return;
      cameBack(chat);
    }
    if (!cut) {
      endTurn(chat, turn, before);
      ahead(at);
      return;
    }
    // One message that is too long by itself says nothing of how the chat grows.
    if (turn.prompt.messageCount < 2) {
      return;
    }
    const { cost } = costsOf(model, learned);
    const held = (turn.inputTokens ?? 0) + (turn.outputTokens ?? 0);
    const bytes = cost === undefined ? undefined : entryBytes(cost, held, CHECKPOINTS_OF_A_WHOLE_PROMPT);
    const said = { ...chat.said, atTurn: { predicted: turn.turn } };
    const cure = cureAt(at, said)(sentTokens + (turn.outputTokens ?? 0));
    const over = wentOver(chat, { turn: turn.turn, exchange, bytes }, cure);
    exchange.notices.push(over.notice);
    addNotice(chat, over.notice, turn.turn);
    score(exchange, over.scored);
  }

  return { ahead, ended };
}

/** By what was sent: what was read of a prompt always fits. */
function fitsWhole({ entry, window }: ChatAtTurn): boolean {
  return entry.sent !== undefined && entry.sent.best <= window.contextLength;
}
