import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createTokenLearner } from "../../src/predict/tokensPerByte.ts";

const text = (textBytes: number, messageCount = 1, imageCount = 0) => ({
  textBytes,
  messageCount,
  imageCount,
});

describe("tokens of a request", () => {
  it("are about a quarter of its bytes before anything is known", () => {
    expect(createTokenLearner().estimate(text(4000))).toBeGreaterThan(1000);
    expect(createTokenLearner().estimate(text(4000))).toBeLessThan(1030);
  });

  it("come to what the model made of others: 0.2 a byte, 7 a message", () => {
    const learner = createTokenLearner();
    for (let turn = 0; turn < 30; turn++) {
      const prompt = text(500 + ((turn * 7919) % 9000), 1 + (turn % 9));
      learner.learn(prompt, Math.round(10 + prompt.textBytes * 0.2 + prompt.messageCount * 7));
    }
    const expected = 10 + 12_000 * 0.2 + 12 * 7;
    expect(Math.abs(learner.estimate(text(12_000, 12)) / expected - 1)).toBeLessThan(0.01);
  });

  it("of an image are learned apart from the text", () => {
    const learner = createTokenLearner();
    for (let turn = 0; turn < 20; turn++) {
      const images = turn % 3;
      learner.learn(text(2000 + turn * 10, 1, images), 511 + Math.round(turn * 2.5) + images * 256);
    }
    const one = learner.estimate(text(2000, 1, 1)) - learner.estimate(text(2000));
    expect(one).toBeGreaterThan(240);
    expect(one).toBeLessThan(272);
  });

  it("after a known turn are that turn's and what was added", () => {
    const learner = createTokenLearner();
    const earlier = { ...text(40_000, 9), inputTokens: 7777 };
    expect(learner.estimate(text(40_400, 11), earlier)).toBe(7777 + 100 + 10);
  });

  it("follow a change of language", () => {
    const learner = createTokenLearner();
    for (let turn = 0; turn < 40; turn++) {
      learner.learn(text(3000 + turn), 750);
    }
    for (let turn = 0; turn < 60; turn++) {
      learner.learn(text(3000 + turn), 1000);
    }
    expect(learner.estimate(text(3000))).toBeGreaterThan(960);
  });

  it("are not pulled far by one count of another prompt", () => {
    const learner = createTokenLearner();
    for (let turn = 0; turn < 10; turn++) {
      learner.learn(text(4000 + turn), 1000);
    }
    learner.learn(text(4000), 100);
    expect(learner.estimate(text(4000))).toBeGreaterThan(950);
  });
});

describe("saved and restored", () => {
  it("estimates the same", () => {
    const learner = createTokenLearner();
    learner.learn(text(3000, 3), 800);
    learner.learn(text(5000, 5), 1300);
    const restored = createTokenLearner(JSON.parse(JSON.stringify(learner.save())));
    expect(restored.estimate(text(9000, 9))).toBe(learner.estimate(text(9000, 9)));
    expect(restored.count()).toBe(2);
  });

  it.each([
    ["nothing", undefined],
    ["another shape", { count: 3, matrix: [1], right: [2] }],
    ["sums that are all 0", { count: 3, matrix: Array.from({ length: 16 }, () => 0), right: [0, 0, 0, 0] }],
    ["a negative count", { ...createTokenLearner().save(), count: -1 }],
    ["sums of 100 tokens a byte", { ...createTokenLearner().save(), right: [1, 1e9, 1, 1] }],
  ])("is fresh from %s", (_, saved) => {
    const learner = createTokenLearner(saved);
    expect(learner.count()).toBe(0);
    expect(learner.estimate(text(4000))).toBe(createTokenLearner().estimate(text(4000)));
  });
});

it("estimates are whole, finite and at least 1, whatever was learned", () => {
  const figure = fc.oneof(fc.double(), fc.nat(1e6), fc.constantFrom(-1, Number.NaN, Infinity, 1e308));
  const told = fc.record({
    textBytes: figure,
    messageCount: figure,
    imageCount: figure,
    inputTokens: figure,
  });
  fc.assert(
    fc.property(fc.array(told, { maxLength: 20 }), fc.nat(1e9), (all, textBytes) => {
      const learner = createTokenLearner();
      all.forEach((entry, index) =>
        learner.learn(entry, entry.inputTokens, index % 2 === 0 ? undefined : all[index - 1]),
      );
      const tokens = learner.estimate(text(textBytes));
      expect(Number.isSafeInteger(tokens) && tokens >= 1).toBe(true);
    }),
  );
});

it("more text is never fewer tokens", () => {
  const told = fc.record({ textBytes: fc.nat(1e6), messageCount: fc.nat(100), imageCount: fc.nat(5) });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(told, fc.nat(1e6)), { maxLength: 20 }),
      fc.nat(1e6),
      fc.nat(1e6),
      (all, bytes, more) => {
        const learner = createTokenLearner();
        all.forEach(([prompt, tokens]) => learner.learn(prompt, tokens));
        expect(learner.estimate(text(bytes + more))).toBeGreaterThanOrEqual(learner.estimate(text(bytes)));
      },
    ),
  );
});
