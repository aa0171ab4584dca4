import type { MemorySample } from "../types.ts";

/** The figures of a sample that are rates: they hold for the time since the one before. */
export const RATES = [
  "swapOutBytesPerSecond",
  "swapInBytesPerSecond",
  "refaultBytesPerSecond",
  "kswapdScanPerSecond",
  "pressureSomeRatio",
  "pressureFullRatio",
] as const satisfies readonly (keyof MemorySample)[];

/**
 * The means of the rates of the samples after `from` up to `to`: a burst between two readings must not be lost with the
 * samples that are passed over, so each counts with its length.
 */
export function meanRates(samples: readonly MemorySample[], from: number, to: number): Partial<MemorySample> {
  const means: Partial<MemorySample> = {};
  for (const name of RATES) {
    let weighted = 0;
    let lengthMs = 0;
    for (let index = from + 1; index <= to; index += 1) {
      const rate = samples[index]?.[name];
      const before = samples[index - 1];
      const sample = samples[index];
      if (rate === undefined || before === undefined || sample === undefined) continue;
      weighted += rate * (sample.takenAt - before.takenAt);
      lengthMs += sample.takenAt - before.takenAt;
    }
    means[name] = lengthMs === 0 ? undefined : weighted / lengthMs;
  }
  return means;
}

/** A beat is never exact: what comes a little early is still the next one. */
const EARLY_RATIO = 0.15;

/** The readings as a sampler on a beat of `intervalMs` would have taken them. */
export function thinned(samples: readonly MemorySample[], intervalMs: number): MemorySample[] {
  const thin: MemorySample[] = [];
  let dueAt = Number.NEGATIVE_INFINITY;
  let taken = -1;
  for (const [index, sample] of samples.entries()) {
    if (sample.takenAt < dueAt) continue;
    thin.push(
      taken === -1 || index === taken + 1 ? sample : { ...sample, ...meanRates(samples, taken, index) },
    );
    taken = index;
    dueAt = sample.takenAt + intervalMs * (1 - EARLY_RATIO);
  }
  return thin;
}
