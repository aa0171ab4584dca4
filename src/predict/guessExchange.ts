/** What an exchange will cost, said when its request has been read and before any byte of the answer. */
import type { Guess, GuessBasis, GuessInput } from "./guessTypes.ts";
import type { Learned } from "./guessLearned.ts";
import type { Guessed, LearnedModel } from "./guessModel.ts";
import { readPrompt } from "./guessPrompt.ts";
import { guessRunnerBytes } from "./guessRunnerBytes.ts";
import type { ExchangePrediction, Predicted } from "../types.ts";

const WHOLE: ReadonlySet<Guessed> = new Set(["inputTokens", "contextTokensUsed", "runnerBytes"]);
/** Depth within the answer to aim at when nothing is known of its length. */
const USUAL_HALF_ANSWER = 64;

/**
 * From memory only, in microseconds. Each figure has a low and a high between which nine in ten of the earlier ones
 * lay; one for which nothing is known is absent. `madeAt` in epoch milliseconds: a guess made later than the first
 * token is never scored.
 */
export function guessExchange(input: GuessInput, learned: Learned, madeAt: number): Guess {
  const model = learned.model(input.model);
  const basis = readPrompt(input, model);
  const prediction: ExchangePrediction = {};
  const say = (name: Guessed, value: number | undefined, most?: number): void => {
    if (value !== undefined && Number.isFinite(value) && value >= 0) {
      prediction[name] = limited(model.bands[name].around(value), { whole: WHOLE.has(name), most });
    }
  };

  const window =
    input.contextLength !== undefined && input.contextLength >= 1 ? input.contextLength : undefined;
  say("inputTokens", basis.inputTokens, window);
  const prefillMs = guessPrefillMs(input, basis, learned);
  say("prefillMs", prefillMs);
  say("firstTokenMs", guessFirstTokenMs(input, model, prefillMs));
  say("decodeTokensPerSecond", guessDecodeRate(input, basis, learned));
  say("contextTokensUsed", guessContextTokens(basis, window), window);
  say("runnerBytes", guessRunnerBytes(input, basis, model));
  return { madeAt, input, prediction, basis };
}

function guessPrefillMs(input: GuessInput, basis: GuessBasis, learned: Learned): number | undefined {
  return basis.inputTokens === undefined
    ? undefined
    : learned.speed.of(input.model, input.settings).prefillMs({
        uncachedTokens: basis.inputTokens - basis.cachedTokens,
        cachedTokens: basis.cachedTokens,
      });
}

/** Wait for a slot, load or hand-over, prompt, and what no duration names (templates, tokenizing, the wire). */
function guessFirstTokenMs(
  input: GuessInput,
  { recent }: LearnedModel,
  prefillMs: number | undefined,
): number | undefined {
  const loadMs = input.loaded === false ? recent.coldLoadMs.median() : (recent.warmLoadMs.median() ?? 0);
  if (input.request.stream !== true || prefillMs === undefined || loadMs === undefined) {
    return undefined;
  }
  return Math.max(0, input.queueMs ?? 0) + loadMs + prefillMs + (recent.overheadMs.median() ?? 0);
}

function guessDecodeRate(input: GuessInput, basis: GuessBasis, learned: Learned): number | undefined {
  if (basis.inputTokens === undefined) {
    return undefined;
  }
  const half = basis.outputTokens === undefined ? USUAL_HALF_ANSWER : basis.outputTokens / 2;
  const depth = Math.min(basis.inputTokens + half, input.contextLength ?? Infinity);
  const ms = learned.speed.of(input.model, input.settings).decode.msAt(depth);
  return ms === undefined || ms <= 0 ? undefined : 1000 / ms;
}

function guessContextTokens(basis: GuessBasis, window = Infinity): number | undefined {
  return basis.inputTokens === undefined || basis.outputTokens === undefined
    ? undefined
    : Math.min(basis.inputTokens + basis.outputTokens, window);
}

function limited(
  { predicted, low = 0, high = Infinity }: Predicted,
  { whole, most = Infinity }: { whole: boolean; most?: number },
): Predicted {
  const round = (value: number, towards: (value: number) => number): number =>
    Math.min(most, whole ? towards(value) : value);
  return {
    predicted: round(predicted, Math.round),
    low: round(low, Math.floor),
    high: round(high, Math.ceil),
  };
}
