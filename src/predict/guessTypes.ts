/** What the predictor is told of an exchange, and what it says. */
import type { EarlierTurn } from "./prefillPrefix.ts";
import type { CacheCertainty } from "./prefillModel.ts";
import type { ExchangePrediction, RequestFacts } from "../types.ts";

/** Known the moment a request has been read. Whatever is absent is not known, and what depends on it is not guessed. */
export interface GuessInput {
  /** What learned figures are filed under: the digest if it is known, else the canonical name. */
  model: string;
  settings?: SpeedSettings;
  request: Pick<
    RequestFacts,
    "textBytes" | "messageCount" | "imageCount" | "maxOutputTokens" | "stream" | "unread"
  >;
  /** Of one slot. */
  contextLength?: number;
  loaded?: boolean;
  /** The runner keeps the state of earlier conversations in its own memory (v0.30 on). */
  promptCache?: boolean;
  /** Tokens of this prompt that the runner still holds, if someone follows the conversation. 0: surely none. */
  cachedTokens?: number;
  /** The turn before this one, if someone follows the conversation. */
  earlier?: EarlierTurn;
  /** Wait for a slot; 0 when one is free. */
  queueMs?: number;
  /** The runner's resident memory now. */
  runnerBytes?: number;
  kvBytesPerToken?: number;
}

/** Settings that make a model as fast or as slow as another one. */
export interface SpeedSettings {
  kvCacheType?: string;
  /** Share of the layers on a device, 0 to 1. */
  deviceRatio?: number;
}

/** A guess made before the answer, with all that is needed to score it and learn from it afterwards. */
export interface Guess {
  /** Epoch milliseconds. */
  madeAt: number;
  input: GuessInput;
  prediction: ExchangePrediction;
  basis: GuessBasis;
}

/** What the guess rests on. */
export interface GuessBasis {
  /** The prompt was measured: its bytes and messages are known. */
  prompt?: { textBytes: number; messageCount: number; imageCount: number };
  inputTokens?: number;
  outputTokens?: number;
  cachedTokens: number;
  certainty: CacheCertainty;
  earlier?: EarlierTurn;
  /** The conversation was not the one that used the slot last. */
  returned: boolean;
  /** Does not fit the context: the runner is expected to drop its oldest messages and to hold nothing of the rest. */
  cut: boolean;
  /** Tokens of another prompt in the slot, which this one displaces. */
  displacedTokens: number;
}
