/**
 * How many tokens a prompt had when it was sent, whatever Ollama left out of it afterwards. Two ways to tell: the turn
 * before, with its answer, and what is new; or the turn before and by how much the text has grown. Models that think
 * drop their thoughts from the history, so that the first way says too much of them; text of another kind than before
 * spoils the second. Where the two differ, the lower one is what surely was sent.
 */
import { median } from "../predict/quantile.ts";
import {
  addMeasurement,
  expecting,
  solveNonNegative,
  type Expectation,
} from "../predict/guessLeastSquares.ts";
import type { PromptShape, Turn } from "./turn.ts";

export interface SentEstimate {
  best: number;
  /** Surely not fewer. */
  low: number;
  /** Of what is new in this turn. */
  newTokens?: number;
  /** It rests on the turn before, not on the bytes alone. */
  anchored: boolean;
}

export interface SentTokens {
  /** Undefined when nothing tells. */
  estimate(prompt: PromptShape, before?: Turn): SentEstimate | undefined;
  /** A prompt whose size Ollama told, whatever it read of it. */
  learnTold(prompt: PromptShape, tokens: number): void;
  /** A prompt that was read whole, and its count. */
  learn(prompt: PromptShape, inputTokens: number, before?: Turn): void;
  /** What all but the new part of a prompt came to, from a turn before whose text was never seen. */
  learnHistory(prompt: PromptShape, before: Turn): void;
}

/** Tokens per byte of a model's prompts, shared by its conversations. */
export interface TokenRatio {
  perByte(): number | undefined;
  add(perByte: number): void;
}

interface Observation {
  features: number[];
  tokens: number;
}

const REMEMBERED = 12;
/** Turns before an estimate is trusted by its errors. */
const FEW = 3;
/** Weight that a turn loses with each newer one. */
const AGEING = 0.85;
/** Before anything is known: English prose, some words of the template a message, a usual image. */
const USUAL_PER_BYTE = 0.225;
const PER_MESSAGE = 5;
const FRAME_TOKENS = 6;
/** What Ollama itself counts for an image when it looks for room. */
export const IMAGE_TOKENS = 768;
/** Shorter texts are mostly template. */
const TELLING_BYTES = 200;
/** Of an answer: what is missing of it in the next prompt was thought, not said. */
const THOUGHT_SHARE = 0.1;
/** A ratio that was never seen can be this far off: other alphabets, code. */
const UNSEEN_LOW = 0.55;
/** And one that was seen by so much, from turn to turn. */
const SEEN_LOW = 0.85;

/** Median of the last twelve prompts that were read whole. */
export function createTokenRatio(): TokenRatio {
  let values: number[] = [];
  return {
    perByte: () => median(values),
    add(perByte) {
      values = [...values, perByte].slice(-REMEMBERED);
    },
  };
}

/**
 * Of one conversation; `ratio` is what other chats with the same model have shown, until this one has turns of its
 * own.
 */
export function createSentTokens(ratio: TokenRatio): SentTokens {
  /** Tokens of a turn beside the answer before it: a fixed part, new bytes, new images. */
  let own: Observation[] = [];
  /** Tokens from turn to turn: messages, bytes, images. */
  let grown: Observation[] = [];
  let whole: number[] = [];
  let ownErrors: number[] = [];
  let grownErrors: number[] = [];
  let thoughtShares: number[] = [];

  const perByte = (): Expectation => {
    const known = ratio.perByte();
    return known === undefined
      ? { value: USUAL_PER_BYTE, deviation: 0.08 }
      : { value: known, deviation: Math.max(0.02, known * 0.2) };
  };
  /** Solved once for each set of observations, which never change. */
  const solved = new WeakMap<readonly Observation[], { at: number | undefined; parts: number[] }>();
  const fitted = (observations: readonly Observation[], first: Expectation, features: number[]): number => {
    const at = ratio.perByte();
    const kept = solved.get(observations);
    const parts = kept?.at === at && kept !== undefined ? kept.parts : solve(observations, first);
    solved.set(observations, { at, parts });
    return features.reduce((sum, feature, index) => sum + feature * (parts[index] ?? 0), 0);
  };
  const solve = (observations: readonly Observation[], first: Expectation): number[] => {
    const equations = expecting([first, perByte(), { value: IMAGE_TOKENS / 2, deviation: IMAGE_TOKENS / 2 }]);
    observations.forEach(({ features: seen, tokens }, index) => {
      const weight = AGEING ** (observations.length - 1 - index) / (0.02 * tokens + 1) ** 2;
      addMeasurement(equations, { features: seen, value: tokens, weight });
    });
    return solveNonNegative(equations);
  };

  const ownTokens = (prompt: PromptShape, before: Turn): number | undefined => {
    const features = ownFeatures(prompt, before);
    return features === undefined ? undefined : fitted(own, { value: 10, deviation: 8 }, features);
  };
  const byAnswer = (prompt: PromptShape, before: Turn): number | undefined => {
    const tokens = ownTokens(prompt, before);
    return tokens === undefined || before.sentTokens === undefined || before.outputTokens === undefined
      ? undefined
      : before.sentTokens + before.outputTokens + tokens;
  };
  const byGrowth = (prompt: PromptShape, before: Turn): number | undefined => {
    const features = grownFeatures(prompt, before);
    return features === undefined || before.sentTokens === undefined
      ? undefined
      : before.sentTokens + fitted(grown, { value: PER_MESSAGE, deviation: 4 }, features);
  };
  /** An answer came back shorter than it was, or too few have come back to know. */
  const sparesThoughts = (): boolean =>
    thoughtShares.length < FEW || thoughtShares.some((share) => share > THOUGHT_SHARE);

  /** By the bytes of all of it. */
  const byBytes = (prompt: PromptShape): number | undefined => {
    if (prompt.textBytes === undefined || prompt.messageCount === 0) {
      return undefined;
    }
    const images = prompt.imageCount * (IMAGE_TOKENS / 2);
    const frame = FRAME_TOKENS + PER_MESSAGE * prompt.messageCount;
    return frame + images + prompt.textBytes * (median(whole) ?? ratio.perByte() ?? USUAL_PER_BYTE);
  };

  function anchored(prompt: PromptShape, before: Turn): SentEstimate | undefined {
    const answer = byAnswer(prompt, before);
    const growth = byGrowth(prompt, before);
    const known = [answer, growth].filter((value) => value !== undefined);
    if (known.length === 0) {
      return undefined;
    }
    const preferGrowth = (median(grownErrors) ?? Infinity) < 0.7 * (median(ownErrors) ?? 0);
    const best = (preferGrowth ? growth : answer) ?? answer ?? growth ?? 0;
    const newTokens = ownTokens(prompt, before);
    const step = Math.max(newTokens ?? 0, best - (before.sentTokens ?? best) - (before.outputTokens ?? 0));
    const error = median(preferGrowth ? grownErrors : ownErrors);
    const unproven = (preferGrowth ? grownErrors : ownErrors).length < FEW;
    const slack = Math.max(4, 2 * (error ?? 0) + (unproven ? 0.15 : 0.05) * step);
    const bytes = sparesThoughts() && whole.length >= 2 ? byBytes(prompt) : undefined;
    const least = Math.min(...known, bytes === undefined ? Infinity : 1.1 * bytes);
    return { best, low: least - slack, newTokens, anchored: true };
  }

  return {
    estimate(prompt, before) {
      const known = before?.sentTokens === undefined ? undefined : anchored(prompt, before);
      if (known !== undefined) {
        return known;
      }
      const best = byBytes(prompt);
      const seen = whole.length > 0 || ratio.perByte() !== undefined;
      return best === undefined
        ? undefined
        : { best, low: best * (seen ? SEEN_LOW : UNSEEN_LOW), anchored: false };
    },
    learnTold({ textBytes = 0, messageCount, imageCount }, tokens) {
      const perByte = (tokens - FRAME_TOKENS - PER_MESSAGE * messageCount) / textBytes;
      if (textBytes >= TELLING_BYTES && imageCount === 0 && perByte > 0.01 && perByte < 4) {
        ratio.add(perByte);
      }
    },
    learnHistory({ textBytes = 0, newTextBytes = textBytes, messageCount, imageCount }, before) {
      const bytes = textBytes - newTextBytes;
      const tokens = (before.sentTokens ?? 0) + (before.outputTokens ?? 0);
      const perByte = (tokens - FRAME_TOKENS - PER_MESSAGE * messageCount) / bytes;
      if (bytes >= TELLING_BYTES && imageCount === 0 && perByte > 0.01 && perByte < 4) {
        ratio.add(perByte);
      }
    },
    learn(prompt, inputTokens, before) {
      if (before?.sentTokens !== undefined && !before.cut) {
        const step = inputTokens - before.sentTokens;
        const answer = byAnswer(prompt, before);
        const growth = byGrowth(prompt, before);
        const features = ownFeatures(prompt, before);
        const tokens = step - (before.outputTokens ?? 0);
        if (answer !== undefined && features !== undefined) {
          ownErrors = [...ownErrors, Math.abs(answer - inputTokens)].slice(-5);
          const missing = (answer - inputTokens) / Math.max(1, before.outputTokens ?? 1);
          thoughtShares = [...thoughtShares, missing].slice(-5);
          if (tokens > 0) {
            own = [...own, { features, tokens }].slice(-REMEMBERED);
          }
        }
        const change = grownFeatures(prompt, before);
        if (growth !== undefined && change !== undefined && step > 0) {
          grownErrors = [...grownErrors, Math.abs(growth - inputTokens)].slice(-5);
          grown = [...grown, { features: change, tokens: step }].slice(-REMEMBERED);
        }
      }
      const { textBytes, messageCount, imageCount } = prompt;
      if (textBytes !== undefined && textBytes >= TELLING_BYTES && messageCount > 0 && imageCount === 0) {
        const perByte = (inputTokens - FRAME_TOKENS - PER_MESSAGE * messageCount) / textBytes;
        if (perByte > 0.01 && perByte < 4) {
          whole = [...whole, perByte].slice(-REMEMBERED);
          ratio.add(perByte);
        }
      }
    },
  };
}

function ownFeatures(prompt: PromptShape, before: Turn): number[] | undefined {
  const bytes = prompt.messageCount === 0 ? prompt.textBytes : prompt.newTextBytes;
  const grows = prompt.messageCount === 0 || prompt.messageCount > before.prompt.messageCount;
  return bytes === undefined || !grows
    ? undefined
    : [1, bytes, Math.max(0, prompt.imageCount - before.prompt.imageCount)];
}

function grownFeatures(prompt: PromptShape, before: Turn): number[] | undefined {
  const { textBytes, messageCount, imageCount } = prompt;
  const earlier = before.prompt;
  return textBytes === undefined || earlier.textBytes === undefined || messageCount === 0
    ? undefined
    : [messageCount - earlier.messageCount, textBytes - earlier.textBytes, imageCount - earlier.imageCount];
}
