/** A chat as Ollama would answer it: messages dropped by its rule, times by a law, counts to the token. */
import type { PlayableChat } from "./playChat.ts";

export interface MadeUp {
  contextLength: number;
  /** From this turn on another window is asked for. */
  later?: { turn: number; contextLength: number };
  ollamaVersion?: string;
  systemTokens?: number;
  /** Of each turn's question; as many turns. */
  questions: readonly number[];
  answers: readonly number[];
  /** Tokens of each answer that were thought: the next prompt is without them. */
  thoughts?: readonly number[];
  bytesPerToken?: number;
}

export interface MadeUpChat {
  chat: PlayableChat;
  /** Of the prompt of each turn. */
  sent: number[];
  lost: number[];
  /** The first turn that lost something. */
  cliffTurn?: number;
  systemBytes: number;
}

const FRAME = 4;
const MS = { perToken: 2, perPair: 0.0002 };

export function madeUpChat(made: MadeUp): MadeUpChat {
  const {
    contextLength,
    later,
    systemTokens = 0,
    questions,
    answers,
    thoughts = [],
    bytesPerToken = 4.4,
  } = made;
  const sent: number[] = [];
  const lost: number[] = [];
  let cliffTurn: number | undefined;
  let cached = 0;
  let at = 0;
  const exchanges = questions.map((question, index) => {
    const history = Array.from({ length: index }, (_, turn) => [
      (questions[turn] ?? 0) + FRAME,
      (answers[turn] ?? 0) - (thoughts[turn] ?? 0) + FRAME,
    ]).flat();
    const messages = [...history, question + FRAME];
    const window = later !== undefined && index + 1 >= later.turn ? later.contextLength : contextLength;
    const whole = systemTokens + messages.reduce((sum, tokens) => sum + tokens, FRAME);
    let inputTokens = whole;
    for (const tokens of messages.slice(0, -1)) {
      if (inputTokens > window) {
        inputTokens -= tokens;
      }
    }
    const dropped = whole - inputTokens;
    sent.push(whole);
    lost.push(dropped);
    cliffTurn ??= dropped > 0 ? index + 1 : undefined;
    const reused = dropped > 0 ? systemTokens : Math.min(cached, inputTokens - 1);
    const fresh = inputTokens - reused;
    const prefillMs = MS.perToken * fresh + MS.perPair * fresh * (reused + fresh / 2);
    const outputTokens = answers[index] ?? 0;
    const decodeMs = outputTokens * 20;
    const startedMs = at;
    at += prefillMs + decodeMs + 500;
    cached = (thoughts[index] ?? 0) > 0 ? inputTokens - 1 : inputTokens + outputTokens - 1;
    const text = systemTokens + messages.reduce((sum, tokens) => sum + tokens - FRAME, 0);
    return {
      contextLength: window,
      messageCount: messages.length + (systemTokens > 0 ? 1 : 0),
      textBytes: Math.round(text * bytesPerToken),
      newTextBytes: Math.round(question * bytesPerToken),
      startedMs,
      firstTokenMs: prefillMs + 5,
      endedMs: startedMs + prefillMs + decodeMs,
      inputTokens,
      prefillMs,
      outputTokens,
      decodeMs,
      loadMs: 2,
    };
  });
  return {
    chat: {
      model: "synthetic-llama:1b",
      ollamaVersion: made.ollamaVersion ?? "0.33.0-rc2",
      contextLength,
      maxOutputTokens: 100_000,
      exchanges,
    },
    sent,
    lost,
    ...(cliffTurn !== undefined && { cliffTurn }),
    systemBytes: Math.round(systemTokens * bytesPerToken),
  };
}
