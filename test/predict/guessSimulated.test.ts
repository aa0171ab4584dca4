import { describe, expect, it } from "vitest";
import { median, quantile } from "../../src/predict/quantile.ts";
import { errorsOf, replay } from "./guessReplay.ts";
import { simulateTraffic, type SimulatedMachine } from "./guessSimulated.ts";
import type { ExchangePrediction } from "../../src/types.ts";

const GPU: SimulatedMachine = {
  baseMs: 22.2,
  perDepthMs: 0.000_139,
  prefillPerTokenMs: 0.332,
  prefillPerPairMs: 3.4e-6,
  bytesPerToken: 4.3,
  tokensPerMessage: 4,
  noise: 0.05,
};
const LAPTOP: SimulatedMachine = {
  baseMs: 71,
  perDepthMs: 0.0033,
  prefillPerTokenMs: 4.3,
  prefillPerPairMs: 1e-4,
  bytesPerToken: 3.6,
  tokensPerMessage: 5,
  noise: 0.05,
};
const STEEP_CPU: SimulatedMachine = { ...LAPTOP, baseMs: 29, perDepthMs: 0.007, noise: 0.06 };

const CHATS = 12;

/** Sizes of the errors from the 21st exchange on, over several repeatable histories. */
function laterErrors(machine: SimulatedMachine, kind: keyof ExchangePrediction): number[] {
  return Array.from({ length: CHATS }, (_, seed) => seed + 1).flatMap((seed) => {
    const exchanges = simulateTraffic(machine, { count: 60, seed });
    const replayed = replay({ model: "m", contextLength: 32_768, exchanges });
    return errorsOf(replayed.slice(20), kind).map(Math.abs);
  });
}

function sameAsLast(machine: SimulatedMachine): number[] {
  return Array.from({ length: CHATS }, (_, seed) => seed + 1).flatMap((seed) => {
    const rates = simulateTraffic(machine, { count: 60, seed }).map(
      ({ outputTokens, decodeMs }) => (outputTokens - 1) / decodeMs,
    );
    return rates.slice(20).map((rate, index) => Math.abs((rates[index + 19] ?? 0) / rate - 1));
  });
}

describe.each([
  ["a GPU", GPU],
  ["a laptop", LAPTOP],
  ["a CPU that slows down steeply", STEEP_CPU],
])("after 20 exchanges with %s", (_, machine) => {
  it("tokens per second are within 5 % in the middle and 15 % nine times in ten", () => {
    const errors = laterErrors(machine, "decodeTokensPerSecond");
    expect(errors.length).toBe(CHATS * 40);
    expect(median(errors)).toBeLessThanOrEqual(0.05);
    expect(quantile(errors, 0.9)).toBeLessThanOrEqual(0.15);
  });

  it("is nearer than the rate of the turn before", () => {
    const errors = laterErrors(machine, "decodeTokensPerSecond");
    expect(median(errors)).toBeLessThan(median(sameAsLast(machine)) ?? 0);
  });

  it("input tokens are within 2 % in the middle", () => {
    expect(median(laterErrors(machine, "inputTokens"))).toBeLessThan(0.02);
  });

  it("prefill is within 10 % in the middle", () => {
    expect(median(laterErrors(machine, "prefillMs"))).toBeLessThan(0.1);
  });
});

it("one disturbed exchange in ten does not spoil the middle", () => {
  const errors = laterErrors({ ...LAPTOP, disturbed: 0.1 }, "decodeTokensPerSecond");
  expect(median(errors)).toBeLessThanOrEqual(0.06);
});

it("four in five answers at least lie within their band of nine in ten", () => {
  const exchanges = simulateTraffic(LAPTOP, { count: 200, seed: 3 });
  const replayed = replay({ model: "m", contextLength: 32_768, exchanges }).slice(20);
  for (const kind of ["inputTokens", "prefillMs", "decodeTokensPerSecond", "firstTokenMs"] as const) {
    const inside = replayed.filter(({ scored }) => {
      const { low = 0, high = 0, actual = -1 } = scored[kind] ?? {};
      return actual >= low && actual <= high;
    });
    expect(inside.length / replayed.length, kind).toBeGreaterThan(0.8);
  }
});
