import { expect, it } from "vitest";
import { CATALOGUE } from "../../src/demo/engine/catalogue.ts";
import type { SimulatedModel } from "../../src/demo/engine/models.ts";
import { createRunner } from "../../src/demo/engine/runner.ts";
import { automaticBatch, computeBytes, kvCacheBytes, MEBIBYTE } from "../../src/demo/engine/sizes.ts";

function modelNamed(name: string): SimulatedModel {
  const model = CATALOGUE.find((each) => each.name === name);
  if (model === undefined) throw new Error(`no ${name}`);
  return model;
}

const gemma = modelNamed("gemma3:270m");

function loadedRunner(model: SimulatedModel, contextLength: number) {
  const options = { contextLength, shift: true, others: {} };
  const runner = createRunner({ pid: 1, startedAt: 0, model, options });
  runner.setLoaded(1);
  return runner;
}

/** From the log and `/proc` of v0.33, f16, one slot. */
it.each([
  { contextLength: 2048, kv: 6 + 15, compute: 20.77, claimed: 271.94, anonymous: 305.2 },
  { contextLength: 32_768, kv: 96 + 22.5, compute: 102.54, claimed: 361.21, anonymous: 407.9 },
])("holds what the recorded gemma3:270m holds at $contextLength", ({ contextLength, ...recorded }) => {
  const shape = { contextLength, batch: automaticBatch(gemma, contextLength) };
  expect(kvCacheBytes(gemma, shape) / MEBIBYTE).toBe(recorded.kv);
  expect(Math.abs(computeBytes(gemma, shape) / MEBIBYTE - recorded.compute)).toBeLessThan(2);
  const runner = loadedRunner(gemma, contextLength);
  expect(Math.abs(runner.claimedBytes / MEBIBYTE - recorded.claimed)).toBeLessThan(3);
  expect(Math.abs(runner.memory().anonymousBytes / MEBIBYTE - recorded.anonymous)).toBeLessThan(5);
});

it.each([
  ["llama3.1:8b", 8_030_261_312, 4.58, 128],
  ["qwen2.5-coder:1.5b", 1_543_714_304, 0.91, 28],
  ["gemma3:270m", 268_098_176, 0.23, 18],
] as const)(
  "%s has the parameters, weights (GiB) and KV bytes a token (KiB) of the real one",
  (name, parameters, gibibytes, kvKiB) => {
    const model = modelNamed(name);
    expect(model.parameterCount).toBe(parameters);
    expect(model.weightsBytes / 2 ** 30).toBeCloseTo(gibibytes, 1);
    const perToken = model.layers * model.keyValueHeads * model.headWidth * 4;
    expect(perToken / 1024).toBe(kvKiB);
  },
);

it("is in memory as far as it is loaded", () => {
  const runner = loadedRunner(gemma, 4096);
  const whole = runner.memory().anonymousBytes;
  runner.setLoaded(0.5);
  expect(runner.memory().anonymousBytes / whole).toBeCloseTo(0.5, 2);
});

it("takes the time of the recorded model, at the start of a chat and deep in it", () => {
  const runner = loadedRunner(gemma, 8192);
  expect(runner.prefillMs(0, 436)).toBeCloseTo(738, -2);
  expect(runner.prefillMs(7280, 7718)).toBeCloseTo(1319, -2);
  expect(runner.prefillMs(0, 7772) / 14_685).toBeCloseTo(1, 1);
});

it("names its window, slots and batch on its command line", () => {
  const { argv, settings, modelPath } = loadedRunner(gemma, 8192);
  const after = (flag: string): string | undefined => argv[argv.indexOf(flag) + 1];
  expect([after("-c"), after("-np"), after("-b"), after("--model")]).toEqual([
    "8192",
    "1",
    "1024",
    modelPath,
  ]);
  expect(modelPath).toMatch(/\/blobs\/sha256-[\da-f]{64}$/u);
  expect(settings).toMatchObject({ contextLength: 8192, parallel: 1, batch: 1024, mmap: false });
});
