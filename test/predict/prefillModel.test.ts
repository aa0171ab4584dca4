import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPrefillModel } from "../../src/predict/prefillModel.ts";

const MS_PER_TOKEN = 5;

/** A prompt of `all` tokens, of which so many really were cached, judged with an idea of how many were. */
function prompt(all: number, { cached, supposed = cached }: { cached: number; supposed?: number }) {
  return {
    uncachedTokens: all - supposed,
    cachedTokens: supposed,
    ms: (all - cached) * MS_PER_TOKEN,
  };
}

describe("prompts of which it is known what was cached", () => {
  it("teach the rate", () => {
    const model = createPrefillModel();
    expect(model.msOf({ uncachedTokens: 100, cachedTokens: 0 })).toBeUndefined();
    expect(model.learn(prompt(1500, { cached: 0 }), "sure")).toBe("as-expected");
    model.learn(prompt(2000, { cached: 1500 }), "likely");
    expect(model.msOf({ uncachedTokens: 1000, cachedTokens: 0 })).toBeCloseTo(5000, -3);
    expect(model.perTokenMs()).toBeCloseTo(5, 0);
  });

  it("that are all fixed cost teach nothing", () => {
    const model = createPrefillModel();
    model.learn({ uncachedTokens: 3, cachedTokens: 900, ms: 60 }, "sure");
    expect(model.prompts()).toBe(0);
  });
});

describe("a prompt that was not cached as supposed", () => {
  it("is known by taking as long as the whole, and counts as such", () => {
    const model = createPrefillModel();
    model.learn(prompt(1500, { cached: 0 }), "sure");
    const verdict = model.learn(prompt(1600, { cached: 0, supposed: 1520 }), "likely");
    expect(verdict).toBe("not-cached");
    expect(model.msOf({ uncachedTokens: 1600, cachedTokens: 0 })).toBeCloseTo(8000, -3);
  });

  it("does not spoil the rate when a shared opening made it fast", () => {
    const model = createPrefillModel();
    model.learn(prompt(1500, { cached: 0 }), "sure");
    expect(model.learn(prompt(1500, { cached: 1400, supposed: 0 }), "unsure")).toBe("too-fast");
    expect(model.msOf({ uncachedTokens: 1500, cachedTokens: 0 })).toBeCloseTo(7500, -3);
  });

  it("gives way when it came first and a slower one follows", () => {
    const model = createPrefillModel();
    model.learn(prompt(1500, { cached: 1400, supposed: 0 }), "unsure");
    model.learn(prompt(1500, { cached: 0 }), "unsure");
    expect(model.msOf({ uncachedTokens: 1500, cachedTokens: 0 })).toBeCloseTo(7500, -3);
  });
});

it("prompts that nothing explains, one after the other, mean another machine", () => {
  const model = createPrefillModel();
  model.learn(prompt(1500, { cached: 0 }), "sure");
  const quick = { uncachedTokens: 1500, cachedTokens: 0, ms: 300 };
  const verdicts = [1, 2, 3, 4].map(() => model.learn(quick, "unsure"));
  expect(verdicts).toEqual(["too-fast", "too-fast", "too-fast", "as-expected"]);
  expect(model.msOf({ uncachedTokens: 1500, cachedTokens: 0 })).toBeCloseTo(300, -1);
});

it("is the same after saving and restoring, and fresh from anything else", () => {
  const model = createPrefillModel();
  model.learn(prompt(1500, { cached: 0 }), "sure");
  model.learn(prompt(2500, { cached: 1500 }), "likely");
  const saved: unknown = JSON.parse(JSON.stringify(model.save()));
  expect(createPrefillModel(saved).save()).toEqual(model.save());
  fc.assert(
    fc.property(fc.jsonValue(), (other) => {
      expect(createPrefillModel(other).prompts()).toBe(0);
    }),
  );
});

it("never says a negative or infinite time, whatever it is told", () => {
  const figure = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, Infinity, 1e308));
  const told = fc.record({ uncachedTokens: figure, cachedTokens: figure, ms: figure });
  const certainty = fc.constantFrom("sure", "likely", "unsure" as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(told, certainty), { maxLength: 20 }), fc.nat(1e6), (all, size) => {
      const model = createPrefillModel();
      all.forEach(([observation, how]) => model.learn(observation, how));
      const ms = model.msOf({ uncachedTokens: size, cachedTokens: 0 }) ?? 0;
      expect(ms >= 0 && Number.isFinite(ms)).toBe(true);
    }),
  );
});
