/** What a load needs against what there is. Pure. */
import { estimateMemory } from "../../predict/estimate.ts";
import { needBytes } from "../../predict/fit.ts";
import type { ModelShape } from "../../predict/modelShape.ts";
import { resolveSettings } from "../../predict/resolveSettings.ts";
import type { SettingsInput } from "../../predict/settingsSource.ts";
import type { MemoryEstimate } from "../../types.ts";

export interface Room {
  /** Bytes before the machine swaps, less what must stay free and what other loads under way will take. */
  headroomBytes: number;
  /** What the load makes Ollama unload. */
  freedBytes: number;
  /** Free graphics memory with what idle models there give back; absent when it is not known. */
  deviceFreeBytes?: number | undefined;
  /** What this machine's own measurements add to the formula. */
  calibrate?: ((residentHostBytes: number) => number) | undefined;
}

export interface LoadNeed {
  contextLength: number;
  /** In the host's memory. */
  needBytes: number;
  /** Above 0: it does not fit. */
  shortBytes: number;
  /** The estimate is a guess about an architecture that is not known, or lacks the weights: nothing is done on its word. */
  uncertain: boolean;
}

/** The least context Ollama gives to whoever asks for none, unless it was set; nobody is refused on a larger guess. */
const LEAST_DEFAULT = 4096;
/** llama.cpp's caches grow by so many cells. */
const STEP = 256;

/** Throws what `resolveSettings` throws. */
export function loadNeed(input: SettingsInput, room: Room, contextLength?: number): LoadNeed {
  const settings = resolveSettings(
    contextLength === undefined
      ? withCautiousContext(input)
      : { ...input, query: { ...input.query, contextLength, totalContextLength: undefined } },
  );
  const estimate = estimateMemory(input.shape, settings);
  const { host, device } = needBytes(estimate, { unifiedMemory: settings.backend === "metal" });
  // What finds no place on the device is computed on the CPU, from the host's memory.
  const spilled = room.deviceFreeBytes === undefined ? 0 : Math.max(0, device - room.deviceFreeBytes);
  const need = Math.round(host + spilled + correction(estimate, room));
  return {
    contextLength: settings.contextLength,
    needBytes: need,
    shortBytes: Math.round(need - room.headroomBytes - room.freedBytes),
    uncertain: isUncertain(input.shape, estimate),
  };
}

/** The longest context up to `most`, in steps of 256, that fits; undefined when none does. */
export function largestContext(input: SettingsInput, room: Room, most: number): number | undefined {
  const fits = (steps: number): boolean =>
    loadNeed(input, room, Math.min(most, steps * STEP)).shortBytes <= 0;
  let [good, bad] = [0, Math.ceil(most / STEP) + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) {
      good = middle;
    } else {
      bad = middle;
    }
  }
  return good === 0 ? undefined : Math.min(most, good * STEP);
}

/** The context of whoever names none, where it is stated: in the model's parameters, else in the server's environment. */
export function statedContext({ modelParameters, environment }: SettingsInput): number | undefined {
  const stated =
    /^num_ctx\s+(\d+)\s*$/m.exec(modelParameters ?? "")?.[1] ?? environment?.["OLLAMA_CONTEXT_LENGTH"];
  return stated === undefined ? undefined : Number(stated) || undefined;
}

function withCautiousContext(input: SettingsInput): SettingsInput {
  const { query, ps, runner } = input;
  const isKnown =
    query?.contextLength !== undefined ||
    statedContext(input) !== undefined ||
    ps?.contextLength !== undefined ||
    runner?.totalContextLength !== undefined;
  return isKnown || resolveSettings(input).contextLength <= LEAST_DEFAULT
    ? input
    : { ...input, query: { ...query, contextLength: LEAST_DEFAULT } };
}

/** What is only an upper bound says so in the shape's remarks: of an unknown architecture, of windows that nobody names. */
function isUncertain({ known, remarks }: ModelShape, { weightsBytes }: MemoryEstimate): boolean {
  return weightsBytes === undefined || !known || remarks.some((remark) => remark.includes("upper bound"));
}

function correction({ residentHostBytes }: MemoryEstimate, { calibrate }: Room): number {
  return residentHostBytes === undefined || calibrate === undefined
    ? 0
    : calibrate(residentHostBytes) - residentHostBytes;
}
