/** Everything learned about one model except its speed, which depends on the runner's settings too. */
import { createErrorBand, type ErrorBand } from "./guessBand.ts";
import { createRecent, type Recent } from "./guessRecent.ts";
import { savedObject } from "./guessSaved.ts";
import { createPrefixMemory, type PrefixMemory } from "./prefillPrefix.ts";
import { createTokenLearner, type TokenLearner } from "./tokensPerByte.ts";
import type { ExchangePrediction } from "../types.ts";

/** What is guessed of every exchange from its request alone. */
export type Guessed = Exclude<
  keyof ExchangePrediction,
  "grownBytes" | "cliffTurn" | "cliffPrefillMs" | "cliffBytes"
>;

/** Half-widths of the bands before anything was learned. */
const FIRST_BANDS: Record<Guessed, number> = {
  inputTokens: 0.8,
  prefillMs: 0.5,
  firstTokenMs: 0.5,
  decodeTokensPerSecond: 0.3,
  contextTokensUsed: 0.8,
  runnerBytes: 0.05,
};
export const GUESSED: readonly Guessed[] = [
  "inputTokens",
  "prefillMs",
  "firstTokenMs",
  "decodeTokensPerSecond",
  "contextTokensUsed",
  "runnerBytes",
];

/** The last few figures of each kind. Growth is of the runner's memory over one exchange. */
interface RecentFigures {
  outputTokens: Recent;
  coldLoadMs: Recent;
  warmLoadMs: Recent;
  overheadMs: Recent;
  firstGrowthBytes: Recent;
  continuedGrowthBytes: Recent;
  displacedGrowthBytesPerToken: Recent;
}

export interface LearnedModel {
  tokens: TokenLearner;
  recent: RecentFigures;
  bands: Record<Guessed, ErrorBand>;
  /** Not saved: the runner may be another one by then. */
  prefixes: PrefixMemory;
  /** Whether a conversation that comes back after another one was found to be cached still. */
  returnsAreCached?: boolean;
  /** Share of the conversations that went on whose earlier turns the runner still held. */
  reuseShare?: number;
}

export interface SavedLearnedModel {
  tokens: unknown;
  recent: Record<string, number[]>;
  bands: Record<string, number[]>;
}

/** `saved`: what `save()` gave, parsed; damaged or foreign JSON is a fresh start, part by part. */
export function createLearnedModel(saved?: unknown): LearnedModel {
  const record = savedObject(saved);
  const recents = savedObject(record?.["recent"]);
  const bands = savedObject(record?.["bands"]);
  const recent = (name: keyof RecentFigures): Recent => createRecent(recents?.[name]);
  const band = (name: Guessed): ErrorBand => createErrorBand(FIRST_BANDS[name], bands?.[name]);
  return {
    tokens: createTokenLearner(record?.["tokens"]),
    recent: {
      outputTokens: recent("outputTokens"),
      coldLoadMs: recent("coldLoadMs"),
      warmLoadMs: recent("warmLoadMs"),
      overheadMs: recent("overheadMs"),
      firstGrowthBytes: recent("firstGrowthBytes"),
      continuedGrowthBytes: recent("continuedGrowthBytes"),
      displacedGrowthBytesPerToken: recent("displacedGrowthBytesPerToken"),
    },
    bands: {
      inputTokens: band("inputTokens"),
      prefillMs: band("prefillMs"),
      firstTokenMs: band("firstTokenMs"),
      decodeTokensPerSecond: band("decodeTokensPerSecond"),
      contextTokensUsed: band("contextTokensUsed"),
      runnerBytes: band("runnerBytes"),
    },
    prefixes: createPrefixMemory(),
  };
}

/** Tokens, recent figures and bands: what is known of the runner's cache is gone with the runner. */
export function saveLearnedModel(model: LearnedModel): SavedLearnedModel {
  const saveAll = (figures: object): Record<string, number[]> =>
    Object.fromEntries(
      Object.entries(figures).map(([name, figure]: [string, Recent | ErrorBand]) => [name, figure.save()]),
    );
  return {
    tokens: model.tokens.save(),
    recent: saveAll(model.recent),
    bands: saveAll(model.bands),
  };
}
