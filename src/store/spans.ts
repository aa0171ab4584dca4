import type { GpuSample, MemorySample, RunnerSample, SampleExtremes, SamplePoint } from "../types.ts";
import type { Figure, Figures } from "./figures.ts";
import { extremeFigures, figures, figuresOf, rounded, sampleFieldsOf } from "./figures.ts";

/** What a stretch of time amounted to: averages, extremes, and over how many samples. */
export interface Span {
  sampleCount: number;
  means: Figures;
  /** In how many samples a figure was known; absent means in all of them. */
  knownCounts: Partial<Record<Figure, number>>;
  min: SampleExtremes;
  max: SampleExtremes;
  gpus: GpuSample[];
  runners: RunnerSample[];
  problems: string[];
}

/** Most runners and problems one span keeps: a crash loop starts hundreds in 15 minutes. The largest and the first stay. */
const mostRunners = 32;
const mostProblems = 8;

/** A single sample as a span. */
export function spanOf(sample: MemorySample): Span {
  const means = figuresOf(sample);
  const extremes: SampleExtremes = {};
  for (const figure of extremeFigures) {
    if (means[figure] !== undefined) extremes[figure] = means[figure];
  }
  const knownCounts: Span["knownCounts"] = {};
  for (const figure of figures) if (means[figure] === undefined) knownCounts[figure] = 0;
  const { gpus, runners, problems } = sample;
  return { sampleCount: 1, means, knownCounts, min: extremes, max: { ...extremes }, gpus, runners, problems };
}

/**
 * Two spans as one. Merging in any grouping gives the same averages and extremes, so that a roll-up of roll-ups
 * equals a roll-up of the samples (GPUs aside, whose averages count only the spans that saw them).
 */
export function mergeSpans(a: Span, b: Span): Span {
  return {
    sampleCount: a.sampleCount + b.sampleCount,
    ...mergeMeans(a, b),
    min: mergeExtremes(a.min, b.min, Math.min),
    max: mergeExtremes(a.max, b.max, Math.max),
    gpus: mergeGpus(a, b),
    runners: mergeRunners(a, b),
    problems: [...new Set([...a.problems, ...b.problems])].slice(0, mostProblems),
  };
}

function mergeMeans(a: Span, b: Span): Pick<Span, "means" | "knownCounts"> {
  const means: Figures = {};
  const knownCounts: Span["knownCounts"] = {};
  for (const figure of figures) {
    const countA = a.knownCounts[figure] ?? a.sampleCount;
    const countB = b.knownCounts[figure] ?? b.sampleCount;
    const mean = weighted([a.means[figure], countA], [b.means[figure], countB]);
    if (mean !== undefined) means[figure] = mean;
    if (countA + countB < a.sampleCount + b.sampleCount) knownCounts[figure] = countA + countB;
  }
  return { means, knownCounts };
}

type Weighed = [value: number | undefined, weight: number];

function weighted([a, weightA]: Weighed, [b, weightB]: Weighed): number | undefined {
  if (a === undefined) return b;
  if (b === undefined || a === b) return a;
  return (a * weightA + b * weightB) / (weightA + weightB);
}

function mergeExtremes(
  a: SampleExtremes,
  b: SampleExtremes,
  pick: (x: number, y: number) => number,
): SampleExtremes {
  const merged: SampleExtremes = { ...a };
  for (const figure of extremeFigures) {
    const other = b[figure];
    if (other !== undefined) merged[figure] = pick(merged[figure] ?? other, other);
  }
  return merged;
}

function mergeGpus(a: Span, b: Span): GpuSample[] {
  const merged = new Map(a.gpus.map((gpu) => [gpu.id, gpu]));
  for (const gpu of b.gpus) {
    const earlier = merged.get(gpu.id);
    const used = weighted([earlier?.usedBytes, a.sampleCount], [gpu.usedBytes, b.sampleCount]);
    const shared = weighted([earlier?.sharedUsedBytes, a.sampleCount], [gpu.sharedUsedBytes, b.sampleCount]);
    merged.set(gpu.id, {
      ...earlier,
      ...gpu,
      ...(used !== undefined && { usedBytes: used }),
      ...(shared !== undefined && { sharedUsedBytes: shared }),
    });
  }
  return [...merged.values()];
}

/**
 * A runner counts as 0 bytes while it is not there: over a span in which one model replaced another, the averages
 * then add up to what the machine held, and a stacked chart stays below its total.
 */
function mergeRunners(a: Span, b: Span): RunnerSample[] {
  const total = a.sampleCount + b.sampleCount;
  const merged = new Map(
    a.runners.map((runner) => [runnerKey(runner), scaled(runner, a.sampleCount / total)]),
  );
  for (const runner of b.runners) {
    const share = scaled(runner, b.sampleCount / total);
    const earlier = merged.get(runnerKey(runner));
    merged.set(runnerKey(runner), earlier === undefined ? share : sum(earlier, share));
  }
  const runners = [...merged.values()];
  if (runners.length <= mostRunners) return runners;
  return runners.toSorted((x, y) => residentBytes(y) - residentBytes(x)).slice(0, mostRunners);
}

function runnerKey(runner: RunnerSample): string {
  return `${runner.pid} ${runner.startedAt ?? ""}`;
}

function residentBytes(runner: RunnerSample): number {
  return runner.anonymousBytes + runner.fileBytes + runner.sharedBytes;
}

function scaled(runner: RunnerSample, factor: number): RunnerSample {
  return {
    ...runner,
    anonymousBytes: runner.anonymousBytes * factor,
    fileBytes: runner.fileBytes * factor,
    sharedBytes: runner.sharedBytes * factor,
    swappedBytes: runner.swappedBytes * factor,
  };
}

function sum(a: RunnerSample, b: RunnerSample): RunnerSample {
  return {
    ...a,
    ...b,
    anonymousBytes: a.anonymousBytes + b.anonymousBytes,
    fileBytes: a.fileBytes + b.fileBytes,
    sharedBytes: a.sharedBytes + b.sharedBytes,
    swappedBytes: a.swappedBytes + b.swappedBytes,
  };
}

/** A span as a point of a series; `takenAt` is its start. Bytes are whole numbers again. */
export function pointOf(span: Span, takenAt: number, spanSeconds: number): SamplePoint {
  return {
    takenAt,
    spanSeconds,
    ...sampleFieldsOf(span.means),
    min: rounded(span.min),
    max: rounded(span.max),
    gpus: span.gpus.map(roundedBytes),
    runners: span.runners.map(roundedBytes),
    problems: span.problems,
  };
}

function roundedBytes<T extends object>(sample: T): T {
  const entries = Object.entries(sample).map(([name, value]) => [
    name,
    typeof value === "number" && name.endsWith("Bytes") ? Math.round(value) : value,
  ]);
  return Object.fromEntries(entries) as T;
}
