/**
 * How many tokens a model makes of a request, learned from what its requests came to: so much a byte of text, a message
 * (the template's own words) and an image. Text is not tokenised here: the exact count would cost the prompt twice.
 */
import {
  addMeasurement,
  expecting,
  solveNonNegative,
  type Expectation,
  type NormalEquations,
} from "./guessLeastSquares.ts";
import { savedNumbers, savedObject } from "./guessSaved.ts";

export interface PromptText {
  textBytes: number;
  messageCount: number;
  imageCount: number;
}

/** An earlier request whose text this one repeats and goes on from. */
export interface EarlierPrompt extends PromptText {
  inputTokens: number;
}

export interface TokenLearner {
  /** Tokens of a request. With the turn before it, only what was added is uncertain. */
  estimate(prompt: PromptText, earlier?: EarlierPrompt): number;
  /** One request and what it came to. A count that the runner cut must not come here. */
  learn(prompt: PromptText, inputTokens: number, earlier?: EarlierPrompt): void;
  /** Requests learned from. */
  count(): number;
  save(): SavedTokenLearner;
}

/** The sums of the fit: bounded, however long the history. */
export interface SavedTokenLearner {
  count: number;
  matrix: number[];
  right: number[];
}

/** Before anything is known: 4 bytes a token, a template of a few words a message, and common image sizes. */
const EXPECTED: readonly Expectation[] = [
  { value: 6, deviation: 10 },
  { value: 0.25, deviation: 0.08 },
  { value: 5, deviation: 4 },
  { value: 300, deviation: 300 },
];
/** What is older fades by this much a request, so that a change of language is followed. */
const FADING = 0.95;
/** Texts of one kind differ by about so much in tokens a byte. */
const NOISE_RATIO = 0.05;
/** No request is larger; the squares of what is would leave the range of numbers. */
const LARGEST = 1e12;
/** Tokens below which a count is too small to tell anything in proportion. */
const SMALLEST_COUNT = 20;
/** A count this far off is another template or a cut prompt rather than other text. */
const STRANGE_RATIO = 0.3;

/**
 * A least-squares fit with expectations (ridge regression towards usual values), exponentially faded and never
 * negative. `saved`: what `save()` gave, parsed; damaged or foreign JSON is a fresh start.
 */
export function createTokenLearner(saved?: unknown): TokenLearner {
  const start = expecting(EXPECTED);
  let { equations, count } = restore(saved) ?? { equations: expecting(EXPECTED), count: 0 };
  let parts = solveNonNegative(equations);

  const tokensOf = (features: readonly number[]): number =>
    features.reduce((sum, value, index) => sum + value * (parts[index] ?? 0), 0);

  const estimate = (prompt: PromptText, earlier?: EarlierPrompt): number =>
    Math.max(1, Math.round((earlier?.inputTokens ?? 0) + tokensOf(featuresOf(prompt, earlier))));

  return {
    estimate,
    learn(prompt, inputTokens, earlier) {
      const features = featuresOf(prompt, earlier);
      const value = inputTokens - (earlier?.inputTokens ?? 0);
      if (!(value > 0 && value < LARGEST) || !features.every((feature) => feature < LARGEST)) {
        return;
      }
      const scale = Math.max(value, SMALLEST_COUNT);
      const misfit = Math.abs(tokensOf(features) - value) / scale;
      const trust = count < 3 || misfit <= STRANGE_RATIO ? 1 : (STRANGE_RATIO / misfit) ** 2;
      equations = faded(equations, start);
      addMeasurement(equations, { features, value, weight: trust / (NOISE_RATIO * scale) ** 2 });
      parts = solveNonNegative(equations);
      count += 1;
    },
    count: () => count,
    save: () => ({ count, matrix: equations.matrix.flat(), right: [...equations.right] }),
  };
}

/** What the request holds beyond the earlier one; the template's opening words come once. */
function featuresOf(prompt: PromptText, earlier?: EarlierPrompt): number[] {
  return [
    earlier === undefined ? 1 : 0,
    Math.max(0, prompt.textBytes - (earlier?.textBytes ?? 0)),
    Math.max(0, prompt.messageCount - (earlier?.messageCount ?? 0)),
    Math.max(0, prompt.imageCount - (earlier?.imageCount ?? 0)),
  ];
}

/** The measured part fades, the expectations do not: they return when a feature is long unseen. */
function faded({ matrix, right }: NormalEquations, start: NormalEquations): NormalEquations {
  const towards = (now: number, from = 0): number => from + FADING * (now - from);
  return {
    matrix: matrix.map((line, row) =>
      line.map((value, column) => towards(value, start.matrix[row]?.[column])),
    ),
    right: right.map((value, row) => towards(value, start.right[row])),
  };
}

function restore(saved: unknown): { equations: NormalEquations; count: number } | undefined {
  const record = savedObject(saved);
  const size = EXPECTED.length;
  const matrix = savedNumbers(record?.["matrix"], size * size);
  const right = savedNumbers(record?.["right"], size);
  const count = record?.["count"];
  const whole = matrix.length === size * size && right.length === size;
  if (!whole || typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) {
    return undefined;
  }
  const lines = EXPECTED.map((_, row) => matrix.slice(row * size, (row + 1) * size));
  const equations = { matrix: lines, right };
  // Sums that were not made by this fit give a nonsensical figure somewhere; no text has 100 bytes a token.
  const parts = solveNonNegative(equations);
  const sound = parts.every((part) => part < LARGEST) && (parts[1] ?? 0) > 0.01 && (parts[1] ?? 0) < 4;
  return sound ? { equations, count } : undefined;
}
