import type { Exchange, ExchangePrediction, Load, Predicted } from "../src/types.ts";
import { formatBytes, formatCount, formatDuration, formatRate } from "./format.ts";
import { residentBytes } from "./parts.ts";
import { decodeTokensPerSecond, firstTokenMs } from "./rates.ts";

/** A figure that is predicted beforehand and put beside what came. */
export interface Metric {
  id: keyof ExchangePrediction;
  title: string;
  format(value: number | undefined): string;
  /** What was measured where no prediction was scored. */
  actual(exchange: Exchange): number | undefined;
}

export const metrics: Metric[] = [
  {
    id: "contextTokensUsed",
    title: "Context",
    format: formatCount,
    actual: (exchange) => exchange.contextTokensUsed,
  },
  { id: "firstTokenMs", title: "First token", format: formatDuration, actual: firstTokenMs },
  { id: "decodeTokensPerSecond", title: "tok/s", format: formatRate, actual: decodeTokensPerSecond },
  { id: "runnerBytes", title: "Memory", format: formatBytes, actual: () => undefined },
];

export interface Compared {
  predicted?: number;
  actual?: number;
  errorRatio?: number;
  low?: number;
  high?: number;
}

export function compareExchange(exchange: Exchange, metric: Metric): Compared {
  return compared(exchange.prediction?.[metric.id], metric.actual(exchange));
}

/** A load is one of memory: what the runner was expected to hold right after it, and what it held. */
export function compareLoad(load: Load): Compared {
  const predicted = load.predicted?.residentHostBytes;
  return compared(
    predicted === undefined ? undefined : { predicted },
    load.measured && residentBytes(load.measured),
  );
}

function compared(given: Predicted | undefined, measured: number | undefined): Compared {
  const actual = given?.actual ?? measured;
  if (given === undefined) return { actual };
  const { predicted, low, high } = given;
  const own = actual ? (predicted - actual) / actual : undefined;
  return { predicted, low, high, actual, errorRatio: given.errorRatio ?? own };
}

/** The words of the accuracy's figures; others are shown by their own names. */
export const kindWords: Record<string, string> = {
  inputTokens: "input tokens",
  contextTokensUsed: "context",
  prefillMs: "prefill",
  firstTokenMs: "first token",
  decodeTokensPerSecond: "tok/s",
  runnerBytes: "memory after a turn",
  grownBytes: "memory a turn adds",
  cliffTurn: "turn of the cliff",
  cliffPrefillMs: "prefill past the cliff",
  cliffBytes: "memory a turn adds past it",
  totalBytes: "memory after a load",
  weightsBytes: "weights",
  kvCacheBytes: "KV cache",
  computeBytes: "compute",
};
