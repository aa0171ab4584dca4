/**
 * Sizes of single prompts that Ollama itself told: in the token list of a generate, or when it refused one. Sent again,
 * or in another dialect, the same text has the same size; and one that was cut before is known better afterwards.
 */
import type { Exchange } from "../types.ts";
import type { PromptShape } from "./turn.ts";

export interface PromptSizes {
  of(prompt: PromptShape): number | undefined;
  /** What Ollama told. Answers with the exchanges of the same text whose size was only estimated. */
  learn(prompt: PromptShape, tokens: number): Exchange[];
  wasEstimated(prompt: PromptShape, exchange: Exchange): void;
}

/** Texts of equal length are taken for one only if they are long, and only for so long. */
const LONG_BYTES = 1000;
const REMEMBERED = 16;

/** Of one model; sixteen texts, by their bytes. */
export function createPromptSizes(): PromptSizes {
  let known: { textBytes: number; tokens: number }[] = [];
  let estimated: { textBytes: number; exchange: Exchange }[] = [];
  return {
    of({ textBytes, messageCount, imageCount }) {
      return messageCount === 1 && imageCount === 0
        ? known.findLast((entry) => entry.textBytes === textBytes)?.tokens
        : undefined;
    },
    learn({ textBytes = 0, messageCount }, tokens) {
      if (messageCount !== 1 || textBytes < LONG_BYTES) {
        return [];
      }
      known = [...known.filter((entry) => entry.textBytes !== textBytes), { textBytes, tokens }].slice(
        -REMEMBERED,
      );
      const same = estimated.filter((entry) => entry.textBytes === textBytes);
      estimated = estimated.filter((entry) => entry.textBytes !== textBytes);
      return same.map(({ exchange }) => exchange);
    },
    wasEstimated({ textBytes = 0, messageCount }, exchange) {
      if (messageCount === 1 && textBytes >= LONG_BYTES) {
        estimated = [...estimated, { textBytes, exchange }].slice(-REMEMBERED);
      }
    },
  };
}
