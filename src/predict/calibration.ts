/**
 * By how much this machine differs from the formulas: a factor per model and part, learned from what was measured. The
 * raw figure always stays beside the calibrated one.
 */
import { median } from "./quantile.ts";
import { savedNumbers, savedObject } from "./guessSaved.ts";

export type CalibratedPart =
  | "residentHostBytes"
  | "deviceBytes"
  | "weightsBytes"
  | "kvCacheBytes"
  | "computeBytes"
  | "decodeMs";

export interface Calibrated {
  /** As the formula has it; bytes, or milliseconds for `decodeMs`. */
  raw: number;
  calibrated: number;
  factor: number;
  /** Measurements of this model behind the factor; 0 when it rests on other models or on nothing. */
  observations: number;
  basis: "model" | "machine" | "none";
}

export interface CalibrationEntry extends Omit<Calibrated, "raw" | "calibrated"> {
  model: string;
  part: CalibratedPart;
}

export interface Calibration {
  /** A measurement that is absurdly far off is of something else, and is left out. */
  learn(measurement: { model: string; part: CalibratedPart; raw: number; actual: number }): void;
  apply(model: string, part: CalibratedPart, raw: number): Calibrated;
  list(): CalibrationEntry[];
  /** Forgets what was learned of one model, or of all. */
  reset(model?: string): void;
  save(): SavedCalibration;
}

export interface SavedCalibration {
  version: 1;
  machine: string;
  /** Measured ÷ raw, newest last. */
  ratios: { model: string; part: CalibratedPart; ratios: number[] }[];
}

const PARTS: readonly CalibratedPart[] = [
  "residentHostBytes",
  "deviceBytes",
  "weightsBytes",
  "kvCacheBytes",
  "computeBytes",
  "decodeMs",
];
/** No factor leaves this range: what is further off is a wrong formula, to be shown and not to be hidden. */
const LOWEST = 0.8;
const HIGHEST = 1.5;
/** A measurement beyond this is of something else (half a load, another program's memory). */
const ABSURD = 3;
const REMEMBERED = 9;
const MOST_ENTRIES = 256;
/** Weight of what other models say, in measurements of this one. */
const MACHINE_WEIGHT = 0.5;

/** `machine`: whatever names the hardware. What was learned on another machine is not used. `saved`: parsed JSON. */
export function createCalibration(parts: { machine: string; saved?: unknown }): Calibration {
  const learned = restore(parts);
  let factors = factorsOf(learned);

  const factorFor = (model: string, part: CalibratedPart): Omit<CalibrationEntry, "model" | "part"> => {
    const observations = learned.get(keyOf(model, part))?.ratios.length ?? 0;
    const machine = factors.machine.get(part);
    const factor = factors.models.get(keyOf(model, part)) ?? machine ?? 1;
    const elsewhere = machine === undefined ? "none" : "machine";
    return { factor, observations, basis: observations > 0 ? "model" : elsewhere };
  };

  return {
    learn({ model, part, raw, actual }) {
      const ratio = actual / raw;
      if (!(ratio > 1 / ABSURD && ratio < ABSURD && raw > 0)) {
        return;
      }
      const key = keyOf(model, part);
      const ratios = [...(learned.get(key)?.ratios ?? []), ratio].slice(-REMEMBERED);
      learned.delete(key);
      learned.set(key, { model, part, ratios });
      const oldest = learned.keys().next().value;
      if (learned.size > MOST_ENTRIES && oldest !== undefined) {
        learned.delete(oldest);
      }
      factors = factorsOf(learned);
    },
    apply(model, part, raw) {
      const found = factorFor(model, part);
      return { raw, calibrated: raw * found.factor, ...found };
    },
    list: () => [...learned.values()].map(({ model, part }) => ({ model, part, ...factorFor(model, part) })),
    reset(model) {
      for (const [key, entry] of learned) {
        if (model === undefined || entry.model === model) {
          learned.delete(key);
        }
      }
      factors = factorsOf(learned);
    },
    save: () => ({ version: 1, machine: parts.machine, ratios: [...learned.values()] }),
  };
}

type Measured = Map<string, SavedCalibration["ratios"][number]>;

/** The machine's factor is the middle of its models'; a model's own leans on it until it has measurements enough. */
function factorsOf(learned: Measured): {
  models: Map<string, number>;
  machine: Map<CalibratedPart, number>;
} {
  const models = new Map<string, number>();
  const machine = new Map<CalibratedPart, number>();
  for (const part of PARTS) {
    const entries = [...learned.values()].filter((entry) => entry.part === part);
    const middles = entries.map((entry) => Math.log(median(entry.ratios) ?? 1));
    const shared = (median(middles) ?? 0) * (middles.length / (middles.length + MACHINE_WEIGHT));
    if (middles.length > 0) {
      machine.set(part, bounded(shared));
    }
    for (const [index, entry] of entries.entries()) {
      const count = entry.ratios.length;
      const own = (middles[index] ?? 0) * count + shared * MACHINE_WEIGHT;
      models.set(keyOf(entry.model, part), bounded(own / (count + MACHINE_WEIGHT)));
    }
  }
  return { models, machine };
}

function bounded(logFactor: number): number {
  return Math.min(HIGHEST, Math.max(LOWEST, Math.exp(logFactor)));
}

function keyOf(model: string, part: CalibratedPart): string {
  return `${part} ${model}`;
}

function restore({ machine, saved }: { machine: string; saved?: unknown }): Measured {
  const record = savedObject(saved);
  const list = record?.["version"] === 1 && record["machine"] === machine ? record["ratios"] : [];
  const measured: Measured = new Map();
  for (const entry of Array.isArray(list) ? list.slice(-MOST_ENTRIES) : []) {
    const { model, part: name, ratios } = savedObject(entry) ?? {};
    const part = PARTS.find((known) => known === name);
    const sound = savedNumbers(ratios, REMEMBERED).filter((ratio) => ratio > 1 / ABSURD && ratio < ABSURD);
    if (typeof model === "string" && part !== undefined && sound.length > 0) {
      measured.set(keyOf(model, part), { model, part, ratios: sound });
    }
  }
  return measured;
}
