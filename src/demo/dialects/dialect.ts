/** How the same generation looks in each API. Everything here turns values into text; nothing waits or writes. */
import type { Header, WholeAnswer } from "../server/reply.ts";

export interface Dialect {
  streamHeaders: readonly Header[];
  begin(context: AnswerContext): AnswerFormat;
  failure(status: number, message: string): WholeAnswer;
}

export interface AnswerContext {
  /** As the client spelt it. */
  model: string;
  /** What the client sent, keys in lower case. */
  body: Readonly<Record<string, unknown>>;
  includeUsage: boolean;
  promptCharacters: number;
  now: () => number;
  /** 0 to 1: ids are made of it. */
  random: () => number;
}

/** Each text is one write, and so one chunk on the wire. */
export interface AnswerFormat {
  /** How many texts `close` gives. */
  closingWrites: number;
  open(): string[];
  piece(text: string): string;
  close(end: GenerationEnd): string[];
  /** What a failure after the first chunk leaves on the wire; in most APIs nothing. */
  broken(message: string): string[];
  /** The answer in one. Without `end` the model stopped before it was done. */
  whole(text: string, end: GenerationEnd | undefined): WholeAnswer;
}

export interface GenerationEnd {
  text: string;
  reason: "stop" | "length";
  promptTokens: number;
  outputTokens: number;
  totalMs: number;
  loadMs: number;
  prefillMs: number;
  decodeMs: number;
  /** All tokens, for `/api/generate`. */
  context?: readonly number[];
}
