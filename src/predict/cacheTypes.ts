/** Types of keys and values: which a runner accepts, and how large their blocks are. */
import type { Engine } from "./estimateSettings.ts";
import { SettingsProblem } from "./estimateSettings.ts";
import { ggmlTypeNamed, type GgmlType } from "./ggmlTypes.ts";

const LLAMA_SERVER = ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"] as const;
const OLD_ENGINES = ["f16", "q8_0", "q4_0"] as const;

/** Types of keys and values that the runner accepts, largest first. */
export function acceptedCacheTypes(engine: Engine): readonly string[] {
  return engine === "llama-server" ? LLAMA_SERVER : OLD_ENGINES;
}

/** The type as llama.cpp spells it. Throws {@link SettingsProblem} with the valid ones for any other. */
export function cacheTypeFor(value: string, setting: string, engine: Engine): string {
  const type = value.trim().toLowerCase();
  const accepted = acceptedCacheTypes(engine);
  if (accepted.includes(type)) return type;
  const note = /turbo|tq|q3/.test(type) ? ` (${FUTURE_CACHE_TYPE.note})` : "";
  throw new SettingsProblem(
    setting,
    `${setting} ${JSON.stringify(value.slice(0, 32))} is not accepted; valid are ${accepted.join(", ")}${note}`,
  );
}

/**
 * llama.cpp loads a quantised value cache with flash attention only; Ollama before v0.30 quietly fell back to f16
 * without.
 */
export function isQuantizedCache(type: string): boolean {
  return !["f32", "f16", "bf16"].includes(type);
}

/** Block structure of an accepted type. */
export function cacheType(type: string): GgmlType {
  const found = ggmlTypeNamed(type);
  if (found === undefined) throw new SettingsProblem("kvCacheType", `${type} is no type of ggml`);
  return found;
}

/** Announced, measured in forks, and not to be had: listed so that nobody counts on it. */
export const FUTURE_CACHE_TYPE = {
  name: "turboquant-3bit",
  nominalBitsPerElement: 3.125,
  note: "3-bit TurboQuant is not in llama.cpp yet; nominally 3.125 bits an element",
} as const;
