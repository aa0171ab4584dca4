/** Puts what happened beside what was said. */
import { FEWEST_STEPS } from "./decodeModel.ts";
import { GUESSED, type Guessed } from "./guessModel.ts";
import type { Guess } from "./guessTypes.ts";
import type { Exchange, ExchangePrediction, Predicted } from "../types.ts";

/** What the machine showed after the exchange, if it could be seen. */
export interface MeasuredAfter {
  runnerBytes?: number;
}

/**
 * The guess with `actual` and `errorRatio`, (predicted − actual) ÷ actual, wherever the exchange tells what happened.
 * A guess made after the first token is returned as it is: knowing better afterwards is not foresight.
 */
export function scoreExchange(
  guess: Guess,
  exchange: Exchange,
  measured: MeasuredAfter = {},
): ExchangePrediction {
  const actuals = wasBeforehand(guess, exchange) ? actualsOf(exchange, measured) : {};
  const scored: ExchangePrediction = {};
  for (const name of GUESSED) {
    const predicted = guess.prediction[name];
    if (predicted !== undefined) {
      scored[name] = withActual(predicted, actuals[name]);
    }
  }
  return scored;
}

/**
 * Tokens per second of an answer: steps over their time. One less than its tokens were timed, because the first one
 * comes out of the prompt's last step. Absent for answers too short to be a rate.
 */
export function decodeRateOf({
  outputTokens,
  decodeMs,
}: {
  outputTokens?: number;
  decodeMs?: number;
}): number | undefined {
  if (outputTokens === undefined || decodeMs === undefined || !(decodeMs > 0)) {
    return undefined;
  }
  const rate = ((outputTokens - 1) / decodeMs) * 1000;
  return outputTokens - 1 >= FEWEST_STEPS && Number.isFinite(rate) ? rate : undefined;
}

/** Time spent on the tokens of an answer: as reported, or as seen from the first to the last of a stream. */
export function decodeMsOf({ usage, state, stream }: Exchange): number | undefined {
  if (usage?.decodeMs !== undefined) {
    return usage.decodeMs;
  }
  const seen = stream === true && state.phase === "completed" ? state.firstTokenAt : undefined;
  return seen === undefined || state.phase !== "completed" ? undefined : state.endedAt - seen;
}

function wasBeforehand({ madeAt }: Guess, { state }: Exchange): boolean {
  const firstTokenAt = "firstTokenAt" in state ? state.firstTokenAt : undefined;
  const endedAt = "endedAt" in state ? state.endedAt : undefined;
  return madeAt <= Math.min(firstTokenAt ?? Infinity, endedAt ?? Infinity);
}

function actualsOf(exchange: Exchange, measured: MeasuredAfter): Partial<Record<Guessed, number>> {
  const { state, usage, startedAt } = exchange;
  const firstTokenAt = "firstTokenAt" in state ? state.firstTokenAt : undefined;
  const firstTokenMs =
    exchange.stream === true && firstTokenAt !== undefined ? firstTokenAt - startedAt : undefined;
  if (state.phase !== "completed" || usage === undefined || usage.provenance !== "measured") {
    return { firstTokenMs };
  }
  const used = (usage.inputTokens ?? Number.NaN) + (usage.outputTokens ?? Number.NaN);
  return {
    firstTokenMs,
    inputTokens: usage.inputTokens,
    prefillMs: usage.prefillMs,
    decodeTokensPerSecond: decodeRateOf({
      outputTokens: usage.outputTokens,
      decodeMs: decodeMsOf(exchange),
    }),
    contextTokensUsed: exchange.contextTokensUsed ?? (Number.isFinite(used) ? used : undefined),
    runnerBytes: measured.runnerBytes,
  };
}

function withActual(predicted: Predicted, actual: number | undefined): Predicted {
  if (actual === undefined || !Number.isFinite(actual) || actual < 0) {
    return { ...predicted };
  }
  const errorRatio = (predicted.predicted - actual) / actual;
  return Number.isFinite(errorRatio) ? { ...predicted, actual, errorRatio } : { ...predicted, actual };
}
