import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DecodePlan } from "../../src/predict/decodePrior.ts";
import { createLearned } from "../../src/predict/guessLearned.ts";
import { speedCurve } from "../../src/predict/speedCurve.ts";

const PLAN: DecodePlan = {
  reads: [{ bytesPerToken: 4.6e9, bandwidthBytesPerSecond: 120e9, device: "gpu" }],
  kvBytesPerToken: 131_072,
  layerCount: 32,
};
const at = (depthTokens: number, msPerToken: number) => ({ depthTokens, steps: 200, msPerToken });

describe("speed over depth", () => {
  it("rests on the chip before the first answer, and says so", () => {
    const learned = createLearned();
    learned.speed.describe("m", undefined, PLAN);
    const curve = speedCurve(learned, { model: "m", contextLength: 32_768 });
    expect(curve?.speed.provenance).toBe("assumed");
    const rates = curve?.speed.decodeTokensPerSecond ?? [];
    expect(rates.map(({ depth }) => depth)).toEqual([0, 2048, 4096, 8192, 16_384, 32_768]);
    expect(rates[0]?.value).toBeGreaterThan(18);
    expect(rates[0]?.value).toBeLessThan(24);
    expect(curve?.halfSpeedDepthTokens).toBeUndefined();
  });

  it("is the model's own after a few answers, and knows where speed has halved", () => {
    const learned = createLearned();
    const { decode } = learned.speed.keep("m");
    for (let turn = 0; turn < 10; turn++) {
      decode.learn(at(turn * 1500, 20 + 0.001 * turn * 1500));
    }
    const curve = speedCurve(learned, { model: "m", contextLength: 20_000 });
    expect(curve?.speed.provenance).toBe("predicted");
    expect(curve?.halfSpeedDepthTokens).toBeGreaterThan(18_000);
    expect(curve?.halfSpeedDepthTokens).toBeLessThan(22_000);
    expect(curve?.speed.decodeTokensPerSecond.at(-1)?.value).toBeCloseTo(25, 0);
  });

  it("is the less sure the farther it lies from what was seen", () => {
    const learned = createLearned();
    const { decode } = learned.speed.keep("m");
    [500, 900, 1300, 1700].forEach((depth, index) => decode.learn(at(depth, 20 + (index % 2))));
    const rates =
      speedCurve(learned, { model: "m", contextLength: 131_072 })?.speed.decodeTokensPerSecond ?? [];
    const widths = rates.map(({ low, high }) => high / low);
    expect(widths.at(-1)).toBeGreaterThan(2 * (widths[0] ?? Infinity));
  });

  it("is not known of a model of which nothing is known", () => {
    expect(speedCurve(createLearned(), { model: "m", contextLength: 4096 })).toBeUndefined();
  });

  it("never rises with depth, and low and high enclose it", () => {
    const answers = fc.array(fc.tuple(fc.nat(100_000), fc.double({ min: 0.1, max: 1e4, noNaN: true })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(answers, fc.nat(1e6), (told, contextLength) => {
        const learned = createLearned();
        told.forEach(([depth, ms]) => learned.speed.keep("m").decode.learn(at(depth, ms)));
        const rates = speedCurve(learned, { model: "m", contextLength })?.speed.decodeTokensPerSecond ?? [];
        let last = Infinity;
        for (const { value, low, high } of rates) {
          expect(low > 0 && low <= value && value <= high && Number.isFinite(high)).toBe(true);
          expect(value).toBeLessThanOrEqual(last);
          last = value;
        }
      }),
    );
  });
});

describe("what another one shows", () => {
  it("the same model with another cache type is the nearest", () => {
    const learned = createLearned();
    learned.speed.keep("m", { kvCacheType: "f16" }).decode.learn(at(100, 25));
    const curve = speedCurve(learned, { model: "m", settings: { kvCacheType: "q8_0" }, contextLength: 0 });
    expect(curve?.speed).toMatchObject({ provenance: "assumed" });
    expect(curve?.speed.decodeTokensPerSecond[0]?.value).toBeCloseTo(40, 0);
  });

  it("another model shows the machine's bandwidth", () => {
    const learned = createLearned();
    const reads = (bytesPerToken: number) => [{ bytesPerToken, device: "cpu" as const }];
    learned.speed.describe("small", undefined, { reads: reads(1e9) });
    learned.speed.describe("large", undefined, { reads: reads(5e9) });
    learned.speed.keep("small").decode.learn(at(0, 40));
    learned.speed.keep("small").prefill.learn({ uncachedTokens: 500, cachedTokens: 0, ms: 1000 }, "sure");
    const curve = speedCurve(learned, { model: "large", contextLength: 0 });
    expect(curve?.speed.decodeTokensPerSecond[0]?.value).toBeCloseTo(5, 0);
    const prompt = learned.speed.of("large").prefillMs({ uncachedTokens: 100, cachedTokens: 0 });
    expect(prompt).toBeGreaterThan(800);
    expect(prompt).toBeLessThan(1100);
  });

  it("the machine's factor moves the formula", () => {
    const slower = createLearned({ decodeFactor: () => 1.25 });
    const plain = createLearned();
    for (const learned of [slower, plain]) {
      learned.speed.describe("m", undefined, PLAN);
    }
    const rate = (learned: typeof plain): number =>
      speedCurve(learned, { model: "m", contextLength: 0 })?.speed.decodeTokensPerSecond[0]?.value ?? 0;
    expect(rate(plain) / rate(slower)).toBeCloseTo(1.25, 6);
  });
});
