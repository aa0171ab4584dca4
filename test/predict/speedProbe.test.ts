import { expect, it } from "vitest";
import { bandwidthFromCopies } from "../../src/predict/speedProbe.ts";

const pass = (ms: number) => ({ bytes: 1e9, ms });

it("threads add up, each by its middle pass, each byte read and written", () => {
  const rate = bandwidthFromCopies([
    [pass(900), pass(100), pass(100), pass(400)],
    [pass(900), pass(200), pass(200)],
  ]);
  expect(rate).toBe(20e9 + 10e9);
});

it.each([
  ["no thread", []],
  ["nothing but the warm-up", [[pass(100)]]],
  ["times of 0", [[pass(100), pass(0)]]],
  ["no bytes", [[pass(100), { bytes: 0, ms: 5 }]]],
])("is not known from %s", (_, threads) => {
  expect(bandwidthFromCopies(threads)).toBeUndefined();
});
