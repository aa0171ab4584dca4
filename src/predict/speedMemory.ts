/** Decode and prompt speed of each model with each set of runner settings. */
import { createDecodeModel, type DecodeModel } from "./decodeModel.ts";
import { decodePrior, type DecodePlan } from "./decodePrior.ts";
import { savedObject } from "./guessSaved.ts";
import type { SpeedSettings } from "./guessTypes.ts";
import { createPrefillModel, type PrefillModel } from "./prefillModel.ts";
import type { PrefillWork } from "./prefillFit.ts";
import { borrowedLine, borrowedPrefillMs, type SpeedEntry } from "./speedBorrow.ts";

export interface ModelSpeed {
  decode: DecodeModel;
  prefill: PrefillModel;
  /** Time for a prompt, from this model's own prompts or else borrowed from its other runs or other models. */
  prefillMs(work: PrefillWork): number | undefined;
  /** Base time per token by the formula alone, without any factor: what calibration compares with. */
  formulaBaseMs(): number | undefined;
}

export interface SpeedMemory {
  /** Speed as far as it is known. Nothing must be learned into what this returns. */
  of(model: string, settings?: SpeedSettings): ModelSpeed;
  /** The same to learn into. The one unused longest gives way when there are too many. */
  keep(model: string, settings?: SpeedSettings): ModelSpeed;
  /** Tells what a token reads, from the model's tensors and the machine's chips. Not saved. */
  describe(model: string, settings: SpeedSettings | undefined, plan: DecodePlan): void;
  reset(model?: string): void;
  save(): SavedSpeed[];
}

export interface SavedSpeed {
  model: string;
  kvCacheType?: string;
  deviceRatio?: number;
  decode: unknown;
  prefill: unknown;
}

type Entry = SpeedEntry & ModelSpeed;

const MOST_ENTRIES = 64;

/** `factor`: how this machine was found to differ from the formula for a model, 1 if nothing is known. */
export function createSpeedMemory(parts: {
  saved?: unknown;
  factor: (model: string) => number;
}): SpeedMemory {
  const entries = new Map<string, Entry>();
  const plans = new Map<string, DecodePlan>();

  const create = (model: string, settings: SpeedSettings, saved?: Record<string, unknown>): Entry => {
    const plan = (): DecodePlan | undefined => plans.get(keyOf(model, settings));
    const prefill = createPrefillModel(saved?.["prefill"]);
    const line = () => borrowedLine(entry, [...entries.values()], parts.factor(model));
    const entry: Entry = {
      model,
      settings: { ...settings },
      plan,
      decode: createDecodeModel(line, saved?.["decode"]),
      prefill,
      prefillMs: (work) => prefill.msOf(work) ?? borrowedPrefillMs(entry, [...entries.values()], work),
      formulaBaseMs() {
        const known = plan();
        return known === undefined ? undefined : decodePrior(known)?.baseMs;
      },
    };
    return entry;
  };

  for (const record of savedList(parts.saved)) {
    const settings = settingsOf(record);
    if (typeof record["model"] === "string") {
      entries.set(keyOf(record["model"], settings), create(record["model"], settings, record));
    }
  }

  return {
    of: (model, settings = {}) => entries.get(keyOf(model, settings)) ?? create(model, settings),
    keep(model, settings = {}) {
      const key = keyOf(model, settings);
      const entry = entries.get(key) ?? create(model, settings);
      entries.delete(key);
      entries.set(key, entry);
      dropOldest(entries);
      return entry;
    },
    describe(model, settings, plan) {
      plans.delete(keyOf(model, settings));
      plans.set(keyOf(model, settings), plan);
      dropOldest(plans);
    },
    reset(model) {
      for (const [key, entry] of entries) {
        if (model === undefined || entry.model === model) {
          entries.delete(key);
        }
      }
    },
    save: () =>
      [...entries.values()].map(({ model, settings, decode, prefill }) => ({
        model,
        ...settings,
        decode: decode.save(),
        prefill: prefill.save(),
      })),
  };
}

/** Shares of layers are told apart in steps of 5 %, so that one run is not two because of rounding. */
function keyOf(model: string, { kvCacheType, deviceRatio }: SpeedSettings = {}): string {
  const steps = deviceRatio === undefined ? "" : Math.round(deviceRatio * 20);
  return JSON.stringify([model, kvCacheType ?? "", steps]);
}

/** Maps keep the order of insertion. */
function dropOldest(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= MOST_ENTRIES) {
      return;
    }
    map.delete(key);
  }
}

function savedList(saved: unknown): Record<string, unknown>[] {
  return Array.isArray(saved) ? saved.slice(-MOST_ENTRIES).map((entry) => savedObject(entry) ?? {}) : [];
}

function settingsOf({ kvCacheType, deviceRatio }: Record<string, unknown>): SpeedSettings {
  const settings: SpeedSettings = {};
  if (typeof kvCacheType === "string") {
    settings.kvCacheType = kvCacheType;
  }
  if (typeof deviceRatio === "number" && Number.isFinite(deviceRatio)) {
    settings.deviceRatio = deviceRatio;
  }
  return settings;
}
