import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecodePrior } from "../../src/predict/decodeFit.ts";
import { createDecodeModel } from "../../src/predict/decodeModel.ts";

const prior: DecodePrior = {
  baseMs: 50,
  perDepthMs: 0.001,
  perDepthDeviationMs: 0.0006,
  centreDepthTokens: 0,
  spreadRatio: 0.3,
};
const none = (): undefined => undefined;
const at = (depthTokens: number, msPerToken: number) => ({ depthTokens, steps: 99, msPerToken });

describe("a model's decode speed", () => {
  it("is the prior's until it has answered, and its own afterwards", () => {
    const model = createDecodeModel(() => prior);
    expect(model.msAt(10_000)).toBe(60);
    for (let turn = 0; turn < 5; turn++) {
      model.learn(at(turn * 2000, 20 + turn));
    }
    expect(model.msAt(4000)).toBeCloseTo(22, 0);
    expect(model.answers()).toBe(5);
  });

  it("is not known without either", () => {
    expect(createDecodeModel(none).msAt(100)).toBeUndefined();
  });

  it("has halved where the depth costs as much as the base", () => {
    const model = createDecodeModel(none);
    expect(model.halfSpeedDepth()).toBeUndefined();
    for (let turn = 0; turn < 8; turn++) {
      model.learn(at(turn * 3000, 20 + 0.0005 * turn * 3000));
    }
    expect(model.halfSpeedDepth()).toBeGreaterThan(36_000);
    expect(model.halfSpeedDepth()).toBeLessThan(44_000);
  });

  it("claims no such depth from answers that lie close together", () => {
    const model = createDecodeModel(none);
    [100, 300, 500, 700].forEach((depth) => model.learn(at(depth, 20 + depth / 100)));
    expect(model.halfSpeedDepth()).toBeUndefined();
  });

  it("reports a lasting change once and then knows only the new speed", () => {
    const model = createDecodeModel(none);
    const found = [];
    for (let turn = 0; turn < 40; turn++) {
      const depth = (turn % 8) * 1000;
      const change = model.learn(at(depth, (turn < 20 ? 20 : 40) + depth * 0.0005));
      if (change !== undefined) {
        found.push({ turn, ...change });
      }
    }
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ direction: "slower", part: "base" });
    expect(found[0]?.turn).toBeLessThan(27);
    expect(model.msAt(0)).toBeCloseTo(40, 0);
  });
});

describe("saved and restored", () => {
  it("says the same", () => {
    const model = createDecodeModel(none);
    for (let turn = 0; turn < 12; turn++) {
      model.learn(at(turn * 900, 20 + turn * 0.4 + (turn % 3)));
    }
    const saved: unknown = JSON.parse(JSON.stringify(model.save()));
    const restored = createDecodeModel(none, saved);
    expect(restored.msAt(5000)).toBe(model.msAt(5000));
    expect(restored.save()).toEqual(model.save());
  });

  it("starts fresh from anything else", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (saved) => {
        const model = createDecodeModel(none, saved);
        model.learn(at(100, 20));
        expect(model.msAt(100)).toBeGreaterThan(0);
      }),
    );
  });

  it("drops rows that are no answers", () => {
    const saved = {
      answers: [
        [100, 99, -5],
        [1, 2],
        [100, 99, 20],
        [100, 99, 1e300],
      ],
      misses: [9],
    };
    expect(createDecodeModel(none, saved).answers()).toBe(1);
  });
});

it("never says nothing, less than nothing or infinity, whatever it is told", () => {
  const figure = fc.oneof(fc.double(), fc.constantFrom(0, -1, Number.NaN, Infinity, 1e308));
  const answer = fc.record({ depthTokens: figure, steps: figure, msPerToken: figure });
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 30 }), fc.nat(1e9), (answers, depth) => {
      const model = createDecodeModel(none);
      answers.forEach((entry) => model.learn(entry));
      const ms = model.msAt(depth) ?? 1;
      expect(ms > 0 && Number.isFinite(ms)).toBe(true);
    }),
  );
});
