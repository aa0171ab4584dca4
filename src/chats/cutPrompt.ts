/**
 * What Ollama left out of a prompt before the model read it. It says nothing of it: what is told here follows from
 * counts. Oldest messages go one by one until the rest fits; what is then still too long is cut in its middle, to
 * num_ctx before v0.30 and to about half of it since.
 */
import type { SentEstimate } from "./sentTokens.ts";
import { IMAGE_TOKENS } from "./sentTokens.ts";
import type { PromptShape } from "./turn.ts";

export interface PromptRead {
  prompt: PromptShape;
  /** What the model read, cached tokens included. */
  inputTokens: number;
  contextLength: number;
  /** Of the whole prompt as it was sent. */
  sent?: SentEstimate;
  /** As a generate lists its prompt and answer, before anything was cut. */
  exactSentTokens?: number;
  /** The largest message there may be in the history: so much can stay empty when whole messages go. */
  largestMessageTokens?: number;
  /** It took no longer than with its beginning still in the cache, and would have taken far longer without. */
  reused?: boolean;
}

/**
 * `truncated`: cut out of the middle. `tokensLost` is exact for a generate, which lists its tokens, and an estimate
 * else.
 */
export interface PromptCut {
  kind: "truncated" | "messages-dropped";
  tokensLost: number;
}

/** `num_keep` is 4 unless told; the token that begins a text comes on top where a model has one. */
const KEPT_TOKENS = [4, 5];
/** Two ways to count one prompt differ by a token or two. */
const COUNT_SLACK = 3;

/** What is left of a prompt that does not fit: v0.30 and later. */
export function halvesOf(contextLength: number): number[] {
  return KEPT_TOKENS.map((kept) => contextLength - Math.floor((contextLength - kept) / 2));
}

/** Both can befall one prompt: a message is dropped and the last one is still too long. */
export function promptCuts(read: PromptRead): PromptCut[] {
  const { inputTokens, contextLength, prompt } = read;
  if (inputTokens > contextLength) {
    return [];
  }
  const exact = read.exactSentTokens;
  const atLimit = inputTokens === contextLength;
  const atHalf = halvesOf(contextLength).includes(inputTokens);
  if (exact !== undefined) {
    const lost = exact - inputTokens;
    return lost > COUNT_SLACK && (atLimit || atHalf) ? [cut("truncated", lost)] : [];
  }
  const { sent } = read;
  if (sent === undefined || read.reused === true) {
    return [];
  }
  const truncated =
    prompt.imageCount === 0 &&
    ((atHalf && sent.best >= 0.8 * contextLength && sent.low > 1.2 * inputTokens) ||
      (atLimit && sent.best > 1.02 * contextLength + 8));
  if (truncated) {
    return truncatedCuts(read, sent, atHalf);
  }
  return wereDropped(read, sent) ? [cut("messages-dropped", sent.best - inputTokens)] : [];
}

/**
 * A prompt that a message was dropped from can end at the limit by accident. Before v0.30 that loses nothing more; since
 * then a prompt of exactly num_ctx tokens is halved.
 */
function truncatedCuts(read: PromptRead, sent: SentEstimate, atHalf: boolean): PromptCut[] {
  const { inputTokens, contextLength } = read;
  const newest = sent.newTokens ?? (read.prompt.messageCount <= 2 ? sent.best : 0);
  const newestIsTooLong = newest > 0.9 * contextLength;
  if (newestIsTooLong || !sent.anchored || read.prompt.messageCount < 3) {
    const left = newestIsTooLong ? Math.min(newest, sent.best) : sent.best;
    return [
      ...(sent.best - left > COUNT_SLACK ? [cut("messages-dropped", sent.best - left)] : []),
      cut("truncated", left - inputTokens),
    ];
  }
  const dropped = sent.best - contextLength;
  return [
    ...(dropped > 0 ? [cut("messages-dropped", dropped)] : []),
    ...(atHalf ? [cut("truncated", contextLength - inputTokens)] : []),
  ];
}

function wereDropped(
  { prompt, inputTokens, contextLength, ...read }: PromptRead,
  sent: SentEstimate,
): boolean {
  if (prompt.messageCount < 2) {
    return false;
  }
  // Ollama looks for room with its own figure for an image, whatever the image really costs.
  const images = prompt.imageCount * IMAGE_TOKENS;
  const surely = sent.low > contextLength;
  if (surely) {
    return sent.anchored || inputTokens >= contextLength / 2;
  }
  const missing = sent.low - inputTokens;
  const nearTheLimit = sent.best + images > contextLength - COUNT_SLACK - (sent.best - sent.low);
  const largest = read.largestMessageTokens ?? contextLength / 4;
  const empty = contextLength - inputTokens;
  return sent.anchored && missing > 0 && nearTheLimit && empty <= 1.25 * largest + images + 16;
}

function cut(kind: PromptCut["kind"], tokensLost: number): PromptCut {
  return { kind, tokensLost: Math.max(1, Math.round(tokensLost)) };
}
