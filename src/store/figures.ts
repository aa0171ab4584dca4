import type { MemorySample, SampleExtremes } from "../types.ts";

/** The figures whose extremes a roll-up keeps. */
export const extremeFigures = [
  "availableBytes",
  "headroomBytes",
  "anonymousBytes",
  "mappedBytes",
  "swapUsedBytes",
  "swapOutBytesPerSecond",
  "swapInBytesPerSecond",
  "refaultBytesPerSecond",
  "kswapdScanPerSecond",
  "pressureSomeRatio",
  "pressureFullRatio",
] as const satisfies readonly (keyof SampleExtremes)[];

/** Every plain number of a sample, its memory limit spread out. Each has a column of its own. */
export const figures = [
  ...extremeFigures,
  "totalBytes",
  "floorBytes",
  "swapTotalBytes",
  "limitBytes",
  "limitUsedBytes",
] as const;

export type Figure = (typeof figures)[number];
export type Figures = Partial<Record<Figure, number>>;

/** The numbers of a sample by name; what is unknown is absent. */
export function figuresOf(sample: MemorySample): Figures {
  const values: Figures = {};
  for (const figure of figures) {
    const value = figureOf(sample, figure);
    if (value !== undefined && Number.isFinite(value)) values[figure] = value;
  }
  return values;
}

function figureOf(sample: MemorySample, figure: Figure): number | undefined {
  if (figure === "limitBytes") return sample.limit?.bytes;
  if (figure === "limitUsedBytes") return sample.limit?.usedBytes;
  return sample[figure];
}

/** The sample's fields for these numbers, bytes as whole numbers again after averaging. */
export function sampleFieldsOf(
  values: Figures,
): Omit<MemorySample, "takenAt" | "gpus" | "runners" | "problems"> {
  const { limitBytes, limitUsedBytes, ...fields } = rounded(values);
  if (limitBytes === undefined || limitUsedBytes === undefined) return fields;
  return { ...fields, limit: { bytes: limitBytes, usedBytes: limitUsedBytes } };
}

/** The same numbers, those in bytes as integers. */
export function rounded<T extends Figures>(values: T): T {
  const entries = Object.entries(values);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name.endsWith("Bytes") ? Math.round(value) : value]),
  ) as T;
}

/** `headroomBytes` → `headroom_bytes`. */
export function columnOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
