import fc from "fast-check";
import { expect, it } from "vitest";
import type { Span } from "../../src/store/spans.ts";
import { mergeSpans, pointOf, spanOf } from "../../src/store/spans.ts";
import type { MemorySample, RunnerSample } from "../../src/types.ts";
import { aSample, startOfTest } from "./support/rows.ts";

const bytes = fc.integer({ min: 0, max: 2 ** 40 });
const someSamples = fc.array(
  fc
    .record(
      {
        headroomBytes: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
        swapOutBytesPerSecond: fc.double({ min: 0, max: 1e9, noNaN: true }),
        runners: fc.uniqueArray(
          fc.record({
            pid: fc.integer({ min: 1, max: 4 }),
            anonymousBytes: bytes,
            fileBytes: bytes,
            sharedBytes: bytes,
            swappedBytes: bytes,
          }),
          { selector: ({ pid }) => pid, maxLength: 3 },
        ),
      },
      { requiredKeys: ["runners"] },
    )
    .map((fields) => aSample(startOfTest, fields)),
  { minLength: 1, maxLength: 30 },
);

function merged(samples: readonly MemorySample[]): Span {
  return samples.map(spanOf).reduce(mergeSpans);
}

it("comes to the same average and extremes, however samples are grouped", () => {
  fc.assert(
    fc.property(someSamples, fc.nat(30), (samples, cut) => {
      const [left, right] = [samples.slice(0, cut), samples.slice(cut)];
      fc.pre(left.length > 0 && right.length > 0);
      const grouped = mergeSpans(merged(left), merged(right));
      const direct = merged(samples);
      expect(grouped.sampleCount).toBe(samples.length);
      expect(grouped.min).toStrictEqual(direct.min);
      expect(grouped.max).toStrictEqual(direct.max);
      expect(grouped.knownCounts).toStrictEqual(direct.knownCounts);
      expectClose(grouped.means.headroomBytes, direct.means.headroomBytes);
      for (const runner of direct.runners) {
        const other = grouped.runners.find(({ pid }) => pid === runner.pid);
        expectClose(other?.anonymousBytes, runner.anonymousBytes);
      }
    }),
    { numRuns: 300 },
  );
});

it("averages over the samples that knew a figure, and keeps its extremes exactly", () => {
  fc.assert(
    fc.property(someSamples, (samples) => {
      const known = samples.map(({ headroomBytes }) => headroomBytes).filter((value) => value !== undefined);
      const span = merged(samples);
      expect("headroomBytes" in span.means).toBe(known.length > 0);
      fc.pre(known.length > 0);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      expectClose(span.means.headroomBytes, mean);
      expect(span.min.headroomBytes).toBe(Math.min(...known));
      expect(span.max.headroomBytes).toBe(Math.max(...known));
    }),
    { numRuns: 300 },
  );
});

function expectClose(actual: number | undefined, expected: number | undefined): void {
  if (expected === undefined) expect(actual).toBeUndefined();
  else
    expect(Math.abs((actual ?? Infinity) - expected)).toBeLessThanOrEqual(1e-3 + Math.abs(expected) * 1e-9);
}

const gibibyte = 2 ** 30;

function aRunner(pid: number, fields: Partial<RunnerSample> = {}): RunnerSample {
  return { pid, anonymousBytes: gibibyte, fileBytes: 0, sharedBytes: 0, swappedBytes: 0, ...fields };
}

it("adds runners up to what was held on average when one replaced another", () => {
  const before = aSample(startOfTest, { runners: [aRunner(1)] });
  const after = aSample(startOfTest + 1000, { runners: [aRunner(2)] });
  const { runners } = merged([before, after, after, after]);
  expect(runners.map(({ pid, anonymousBytes }) => [pid, anonymousBytes / gibibyte])).toEqual([
    [1, 0.25],
    [2, 0.75],
  ]);
});

it("tells a runner from the one that got its pid later", () => {
  const first = aSample(startOfTest, { runners: [aRunner(7, { startedAt: 1 })] });
  const second = aSample(startOfTest, { runners: [aRunner(7, { startedAt: 2 })] });
  expect(merged([first, second]).runners).toHaveLength(2);
});

it("keeps the 32 largest runners of a crash loop", () => {
  const samples = Array.from({ length: 100 }, (_, index) =>
    aSample(startOfTest + index, { runners: [aRunner(index, { anonymousBytes: gibibyte + index })] }),
  );
  expect(merged(samples).runners.length).toBe(32);
});

it("keeps each problem once, and the latest name of a GPU with its average use", () => {
  const gpu = { id: "0", vendor: "nvidia", totalBytes: 100 } as const;
  const span = merged([
    aSample(startOfTest, { problems: ["no GPU"], gpus: [{ ...gpu, usedBytes: 10 }] }),
    aSample(startOfTest, { problems: ["no GPU", "no PSI"], gpus: [{ ...gpu, usedBytes: 21, name: "A" }] }),
  ]);
  expect(span.problems).toEqual(["no GPU", "no PSI"]);
  expect(pointOf(span, startOfTest, 10).gpus).toEqual([{ ...gpu, usedBytes: 16, name: "A" }]);
});
