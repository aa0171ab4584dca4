/** What is said of a model's speed before it has answered: by the formula, by its other runs, by other models here. */
import { median } from "./quantile.ts";
import type { DecodePrior } from "./decodeFit.ts";
import type { DecodeModel } from "./decodeModel.ts";
import { decodePrior, reachedBandwidth, type DecodePlan } from "./decodePrior.ts";
import type { SpeedSettings } from "./guessTypes.ts";
import type { PrefillWork } from "./prefillFit.ts";
import type { PrefillModel } from "./prefillModel.ts";

/** One model with one set of runner settings. */
export interface SpeedEntry {
  model: string;
  settings: SpeedSettings;
  /** What a token makes it read, once someone has told. */
  plan(): DecodePlan | undefined;
  decode: DecodeModel;
  prefill: PrefillModel;
}

/** Less sure than a chip's own figure. */
const BORROWED_SPREAD_RATIO = 0.4;

/** The same model and the same devices: only the cache differs. */
const SIBLING_SPREAD_RATIO = 0.2;
/** Less than one step of the share of layers on a device. */
const SAME_DEVICES = 0.03;

/** `factor`: how this machine was found to differ from the formula. */
export function borrowedLine(
  entry: SpeedEntry,
  others: readonly SpeedEntry[],
  factor: number,
): DecodePrior | undefined {
  const sibling = nearest(entry, others, (other) => other.decode.fitted() !== undefined);
  const line = sibling?.decode.fitted();
  if (sibling !== undefined && line !== undefined && deviceDistance(sibling, entry) < SAME_DEVICES) {
    return { ...line, spreadRatio: SIBLING_SPREAD_RATIO };
  }
  const plan = entry.plan();
  const formula = plan === undefined ? undefined : decodePrior(plan);
  if (formula !== undefined) {
    return {
      ...formula,
      baseMs: formula.baseMs * factor,
      perDepthMs: formula.perDepthMs * factor,
      perDepthDeviationMs: formula.perDepthDeviationMs * factor,
    };
  }
  if (line !== undefined) {
    return { ...line, spreadRatio: BORROWED_SPREAD_RATIO };
  }
  const bandwidth = shown(entry, others, (other, its) => {
    const base = other.decode.fitted()?.baseMs;
    return base === undefined ? undefined : reachedBandwidth(its, base);
  });
  const guessed = plan === undefined ? undefined : decodePrior(withBandwidth(plan, bandwidth));
  return guessed === undefined ? undefined : { ...guessed, spreadRatio: BORROWED_SPREAD_RATIO };
}

/** Prompts are computed, not read: time per token goes with the bytes of the weights all the same. */
export function borrowedPrefillMs(
  entry: SpeedEntry,
  others: readonly SpeedEntry[],
  work: PrefillWork,
): number | undefined {
  const sibling = nearest(entry, others, (other) => other.prefill.prompts() > 0);
  const plan = entry.plan();
  if (sibling !== undefined || plan === undefined) {
    return sibling?.prefill.msOf(work);
  }
  const msPerByte = shown(entry, others, (other, its) => {
    const perToken = other.prefill.perTokenMs();
    return perToken === undefined ? undefined : perToken / bytesOf(its);
  });
  return msPerByte === undefined ? undefined : msPerByte * bytesOf(plan) * Math.max(0, work.uncachedTokens);
}

/** The run of the same model whose settings are most alike. */
function nearest(
  entry: SpeedEntry,
  others: readonly SpeedEntry[],
  wanted: (other: SpeedEntry) => boolean,
): SpeedEntry | undefined {
  const unlikeness = ({ settings }: SpeedEntry): number =>
    deviceDistance({ settings }, entry) * 10 + (settings.kvCacheType === entry.settings.kvCacheType ? 0 : 1);
  return others
    .filter((other) => other.model === entry.model && other !== entry && wanted(other))
    .toSorted((left, right) => unlikeness(left) - unlikeness(right))[0];
}

function deviceDistance(one: Pick<SpeedEntry, "settings">, other: Pick<SpeedEntry, "settings">): number {
  return Math.abs((one.settings.deviceRatio ?? 0) - (other.settings.deviceRatio ?? 0));
}

/** Median of a figure over the other models whose reads are known. */
function shown(
  entry: SpeedEntry,
  others: readonly SpeedEntry[],
  figure: (other: SpeedEntry, plan: DecodePlan) => number | undefined,
): number | undefined {
  return median(
    others.map((other) => {
      const plan = other === entry ? undefined : other.plan();
      return (plan === undefined ? undefined : figure(other, plan)) ?? Number.NaN;
    }),
  );
}

function withBandwidth(plan: DecodePlan, bandwidthBytesPerSecond: number | undefined): DecodePlan {
  return {
    ...plan,
    reads: plan.reads.map((read) => ({ ...read, bandwidthBytesPerSecond, measured: false })),
  };
}

function bytesOf(plan: DecodePlan): number {
  return plan.reads.reduce((sum, read) => sum + Math.max(0, read.bytesPerToken), 0);
}
