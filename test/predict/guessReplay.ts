/** Plays recorded or simulated exchanges through guess, score and learn, in the order in which a server runs them. */
import { readFileSync } from "node:fs";
import { guessExchange } from "../../src/predict/guessExchange.ts";
import { learnExchange, type Lesson } from "../../src/predict/guessLearn.ts";
import { createLearned, type Learned } from "../../src/predict/guessLearned.ts";
import { scoreExchange } from "../../src/predict/guessScore.ts";
import type { GuessInput } from "../../src/predict/guessTypes.ts";
import type { Exchange, ExchangePrediction } from "../../src/types.ts";

export interface RecordedExchange {
  conversation?: number;
  messageCount: number;
  textBytes: number;
  startedMs: number;
  firstTokenMs: number;
  endedMs: number;
  inputTokens: number;
  prefillMs: number;
  outputTokens: number;
  decodeMs: number;
  loadMs: number;
  runnerBytesBefore?: number;
  runnerBytesAfter?: number;
}

export interface RecordedChat {
  model: string;
  ollamaVersion: string;
  contextLength: number;
  /** As every request of the chat asked for. */
  maxOutputTokens?: number;
  exchanges: RecordedExchange[];
}

export interface Replayed {
  recorded: RecordedExchange;
  scored: ExchangePrediction;
  lesson: Lesson;
}

export function readChat(name: string): RecordedChat {
  const file = new URL(`../fixtures/predict-speed/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as RecordedChat;
}

export function exchangeOf(
  recorded: RecordedExchange,
  { model, contextLength }: Pick<RecordedChat, "model" | "contextLength">,
): Exchange {
  const { startedMs, firstTokenMs, endedMs, inputTokens, outputTokens, prefillMs, decodeMs, loadMs } =
    recorded;
  return {
    id: `e${startedMs}`,
    startedAt: startedMs,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model,
    client: {},
    stream: true,
    contextLength,
    contextTokensUsed: inputTokens + outputTokens,
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "completed", firstTokenAt: startedMs + firstTokenMs, endedAt: endedMs },
    usage: { inputTokens, outputTokens, prefillMs, decodeMs, loadMs, provenance: "measured" },
    notices: [],
  };
}

/** `more`: what else the caller would know of each request. */
export function replay(
  chat: Omit<RecordedChat, "ollamaVersion">,
  { learned = createLearned(), more = {} }: { learned?: Learned; more?: Partial<GuessInput> } = {},
): Replayed[] {
  return chat.exchanges.map((recorded, index) => {
    const exchange = exchangeOf(recorded, chat);
    const input: GuessInput = {
      model: chat.model,
      request: {
        textBytes: recorded.textBytes,
        messageCount: recorded.messageCount,
        imageCount: 0,
        maxOutputTokens: chat.maxOutputTokens,
        stream: true,
      },
      contextLength: chat.contextLength,
      loaded: true,
      queueMs: 0,
      runnerBytes: recorded.runnerBytesBefore ?? chat.exchanges[index - 1]?.runnerBytesAfter,
      ...more,
    };
    const guess = guessExchange(input, learned, recorded.startedMs);
    const measured = { runnerBytes: recorded.runnerBytesAfter };
    const scored = scoreExchange(guess, exchange, measured);
    const lesson = learnExchange(learned, { guess, exchange, circumstances: { ...measured, alone: true } });
    return { recorded, scored, lesson };
  });
}

export function errorsOf(replayed: readonly Replayed[], kind: keyof ExchangePrediction): number[] {
  return replayed.flatMap(({ scored }) => scored[kind]?.errorRatio ?? []);
}
