/** Decode and prompt speed of each model with each set of runner settings. */
import { createDecodeModel, type DecodeModel } from "./decodeModel.ts";
import { decodePrior, type DecodePlan, type DecodeReads } from "./decodePrior.ts";
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
  /**
   * Speed as far as it is known. Nothing must be learned into what this returns. `plan`: what a token reads in a
   * configuration that is only asked about; nothing of it is remembered.
   */
  of(model: string, settings?: SpeedSettings, plan?: DecodePlan): ModelSpeed;
  /** The same to learn into. The one unused longest gives way when there are too many. */
  keep(model: string, settings?: SpeedSettings): ModelSpeed;
  /** Tells what a token reads, from the model's tensors and the machine's chips. Saved with what was learned of it. */
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
  /** What a token reads: with it other models can be compared after a restart. */
  plan?: DecodePlan;
}

type Entry = SpeedEntry & ModelSpeed;

const MOST_ENTRIES = 64;
const MOST_READS = 16;

/** `factor`: how this machine was found to differ from the formula for a model, 1 if nothing is known. */
export function createSpeedMemory(parts: {
  saved?: unknown;
  factor: (model: string) => number;
}): SpeedMemory {
  const entries = new Map<string, Entry>();
  const plans = new Map<string, DecodePlan>();

  const create = (
    model: string,
    settings: SpeedSettings,
    { saved, asked }: { saved?: Record<string, unknown>; asked?: DecodePlan } = {},
  ): Entry => {
    const savedPlan = restorePlan(saved?.["plan"]);
    const plan = (): DecodePlan | undefined => asked ?? plans.get(keyOf(model, settings)) ?? savedPlan;
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
      entries.set(keyOf(record["model"], settings), create(record["model"], settings, { saved: record }));
    }
  }

  return {
    of: (model, settings = {}, asked) =>
      entries.get(keyOf(model, settings)) ?? create(model, settings, { asked }),
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
      [...entries.values()].map(({ model, settings, decode, prefill, plan }) => ({
        model,
        ...settings,
        decode: decode.save(),
        prefill: prefill.save(),
        plan: plan(),
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

/** Numbers of a record are believed as far as they are numbers; the formula looks at their size. */
function restorePlan(saved: unknown): DecodePlan | undefined {
  const record = savedObject(saved);
  const list = record?.["reads"];
  if (record === undefined || !Array.isArray(list)) {
    return undefined;
  }
  const reads = list.slice(0, MOST_READS).flatMap((entry: unknown): DecodeReads[] => {
    const { bytesPerToken, bandwidthBytesPerSecond, device, measured } = savedObject(entry) ?? {};
    return typeof bytesPerToken !== "number" || (device !== "cpu" && device !== "gpu")
      ? []
      : [
          {
            bytesPerToken,
            device,
            ...(typeof bandwidthBytesPerSecond === "number" && { bandwidthBytesPerSecond }),
            ...(measured === true && { measured }),
          },
        ];
  });
  const { kvBytesPerToken, layerCount, experts } = record;
  return {
    reads,
    ...(typeof kvBytesPerToken === "number" && { kvBytesPerToken }),
    ...(typeof layerCount === "number" && { layerCount }),
    ...(experts === true && { experts }),
  };
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
