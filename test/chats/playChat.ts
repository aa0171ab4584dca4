/** Plays a recorded or made-up chat past the watch: turn by turn, with the runner's memory after each. */
import type { RecordedChat, RecordedExchange } from "../predict/guessReplay.ts";
import type { ScoredValue } from "../../src/predict/accuracy.ts";
import type { Conversation, Exchange, Growth, LoadedModel, MessageClue, Purpose } from "../../src/types.ts";
import { VERSIONS, watchOf } from "./playCaptures.ts";

export interface PlayableChat extends RecordedChat {
  /** `contextLength`: asked for by this turn, where it is another one. */
  exchanges: (RecordedExchange & { newTextBytes?: number; contextLength?: number })[];
}

export interface PlayedTurn {
  exchange: Exchange;
  /** Notices that were there before the answer began. */
  beforehand: Exchange["notices"];
  conversation: Conversation;
  growth: Growth | undefined;
}

export interface Played {
  turns: PlayedTurn[];
  scores: ScoredValue[];
}

export interface PlayOptions {
  /** Right after the load. */
  atLoadBytes?: number;
  headroomBytes?: number;
  /** Of every exchange; a chat unless told. */
  purpose?: Purpose;
  /** UTF-8 bytes of the system's message. */
  systemBytes?: number;
}

const LOAD_ID = "load";

export function playChat(chat: PlayableChat, options: PlayOptions = {}): Played {
  const version = Object.keys(VERSIONS).find((name) => VERSIONS[name] === chat.ollamaVersion) ?? "v0.33";
  const scores: ScoredValue[] = [];
  let conversation: Conversation | undefined;
  const watch = watchOf({
    version,
    contextLength: chat.contextLength,
    loadId: LOAD_ID,
    more: {
      scored: (values) => scores.push(...values),
      changed: (changed) => (conversation = changed),
      headroomBytes: () => options.headroomBytes,
    },
  });
  const loaded = (bytes: number): LoadedModel => ({
    name: chat.model,
    loadId: LOAD_ID,
    measured: { pid: 1, anonymousBytes: bytes, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 },
  });
  if (options.atLoadBytes !== undefined) {
    watch.sampled([loaded(options.atLoadBytes)], () => false, 0);
  }
  const latest = new Map<number, { id: string; turn: number; textBytes: number }>();
  const turns = chat.exchanges.map((recorded): PlayedTurn => {
    const of = recorded.conversation ?? 1;
    const before = latest.get(of);
    const turn = (before?.turn ?? 0) + 1;
    const added = recorded.textBytes - (before?.textBytes ?? 0);
    const exchange = exchangeOf(chat, recorded, `c${of}t${turn}`);
    const facts = {
      model: chat.model,
      stream: true,
      textBytes: recorded.textBytes,
      messageCount: recorded.messageCount,
      imageCount: 0,
      maxOutputTokens: chat.maxOutputTokens,
      ...(before !== undefined && {
        newTextBytes: recorded.newTextBytes ?? Math.round(added * QUESTION_SHARE),
      }),
      conversation: { messages: messagesOf(recorded, options.systemBytes) },
    };
    const place = {
      conversationId: `c${of}`,
      turn,
      purpose: options.purpose ?? "chat",
      isBranch: false,
      isNew: turn === 1,
    };
    watch.began(exchange, facts, before === undefined ? place : { ...place, previousId: before.id });
    const beforehand = [...exchange.notices];
    answer(exchange, recorded);
    watch.ended(exchange, undefined, { alone: true });
    if (recorded.runnerBytesAfter !== undefined) {
      watch.sampled([loaded(recorded.runnerBytesAfter)], () => false, recorded.endedMs + 1000);
    }
    latest.set(of, { id: exchange.id, turn, textBytes: recorded.textBytes });
    if (conversation === undefined) {
      throw new Error("the watch said nothing of the chat");
    }
    return { exchange, beforehand, conversation, growth: watch.growth(loaded(0)) };
  });
  return { turns, scores };
}

/** Of what a turn adds, the rest is the answer before it. */
const QUESTION_SHARE = 0.9;

function exchangeOf(chat: RecordedChat, recorded: PlayableChat["exchanges"][number], id: string): Exchange {
  return {
    id,
    startedAt: recorded.startedMs,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: chat.model,
    client: {},
    stream: true,
    status: 200,
    requestedContextLength: recorded.contextLength ?? chat.contextLength,
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
}

function answer(exchange: Exchange, recorded: RecordedChat["exchanges"][number]): void {
  const { startedMs, firstTokenMs, endedMs, inputTokens, outputTokens, prefillMs, decodeMs, loadMs } =
    recorded;
  exchange.state = { phase: "completed", firstTokenAt: startedMs + firstTokenMs, endedAt: endedMs };
  exchange.usage = {
    inputTokens,
    outputTokens,
    prefillMs,
    decodeMs,
    loadMs,
    totalMs: firstTokenMs + decodeMs,
    doneReason: "length",
    provenance: "measured",
  };
}

/** Questions and answers of equal size, as large as the bytes say. */
function messagesOf(
  { messageCount, textBytes }: RecordedChat["exchanges"][number],
  systemBytes = 0,
): MessageClue[] {
  const count = messageCount - (systemBytes > 0 ? 1 : 0);
  const questions = Math.ceil(count / 2);
  const rest = textBytes - systemBytes;
  const question = (rest * (count > 1 ? QUESTION_SHARE : 1)) / questions;
  const given = Array.from({ length: count }, (_, index): MessageClue => {
    return index % 2 === 0
      ? { role: "user", length: Math.round(question) }
      : { role: "assistant", length: Math.round((rest - question * questions) / (count - questions)) };
  });
  return systemBytes > 0 ? [{ role: "system", length: systemBytes }, ...given] : given;
}
