/** What advice is made of: what is loaded, what was asked lately, what a change would cost. */
import type { Remedies, RemedyFigures } from "../predict/remedies.ts";
import type { Advice, Conversation, Habits, LoadedModel } from "../types.ts";

/** What another setting of a model would come to; negative `costBytes` saves. */
export interface Change extends RemedyFigures {
  costBytes: number;
  /** What would be given: a context is clipped to what the model was trained for. */
  contextLength: number;
  now: { contextLength: number; parallel: number; kvCacheType: string };
}

export interface AdviceFacts {
  now: number;
  /** Over the last days. */
  habits: Habits;
  loaded: readonly LoadedModel[];
  conversations: readonly Conversation[];
  headroomBytes?: number;
  totalBytes?: number;
  remedies: Remedies;
  /** Undefined for what is not known, and for what would not load. */
  change(
    model: string,
    query: { contextLength?: number; parallel?: number; kvCacheTypeK?: string; kvCacheTypeV?: string },
  ): Change | undefined;
  canonicalName(model: string): string;
}

/** With what following it is worth, to order by: seconds of waiting, or what comes close to them. */
export interface Weighed {
  advice: Advice;
  weight: number;
}

const GIBIBYTE = 1024 ** 3;
/** A gibibyte less is worth about as much as a minute of waiting less. */
const SECONDS_PER_GIBIBYTE = 60;

export function weigh(advice: Advice, extraSeconds = 0): Weighed {
  const seconds = (advice.savesMs ?? 0) / 1000;
  const bytes = Math.max(0, advice.savesBytes ?? 0);
  return { advice, weight: extraSeconds + seconds + (bytes / GIBIBYTE) * SECONDS_PER_GIBIBYTE };
}

/** Too little is left to be easy with it. */
export function isScarce({ headroomBytes, totalBytes }: AdviceFacts): boolean {
  return headroomBytes !== undefined && totalBytes !== undefined && headroomBytes < totalBytes * 0.15;
}

/** What a remedy says of a change. */
export function figuresOf(change: Change | undefined): RemedyFigures {
  if (change === undefined) {
    return {};
  }
  const { costBytes, verdict, shortBytes } = change;
  return {
    costBytes,
    ...(verdict !== undefined && { verdict }),
    ...(shortBytes !== undefined && { shortBytes }),
  };
}
