/** Flash attention and the types of keys and values: what holds, and where it comes from. */
import { cacheTypeFor, isQuantizedCache } from "./cacheTypes.ts";
import { SettingsProblem, type Engine } from "./estimateSettings.ts";
import {
  asked,
  byDefault,
  environmentFlag,
  firstOf,
  fromEnvironment,
  fromRunner,
  type Chosen,
  type SettingsInput,
} from "./settingsSource.ts";

/** Runs without flash attention whatever is asked for. */
const NEVER: ReadonlySet<string> = new Set(["grok"]);

/** On, off, or left to the server, which turns it on wherever it can. */
export function chooseFlashAttention(input: SettingsInput): Chosen<boolean> {
  if (NEVER.has(input.shape.architecture)) return byDefault(false, "this architecture has none");
  const started = input.runner?.flashAttention;
  return (
    firstOf(
      asked(input.query?.flashAttention),
      fromRunner(started === "on" || started === "off" ? started === "on" : undefined),
      fromEnvironment(
        environmentFlag(input.environment?.["OLLAMA_FLASH_ATTENTION"]),
        "OLLAMA_FLASH_ATTENTION",
      ),
    ) ?? byDefault(true, "the server's own choice where it is supported")
  );
}

/** As llama.cpp spells them, e.g. `q8_0`. */
export interface CacheTypeChoice {
  keyType: Chosen<string>;
  valueType: Chosen<string>;
  notes: string[];
}

/** Types of keys and values. Ollama sets both to one; the question may name them apart. */
export function chooseCacheTypes(input: SettingsInput, engine: Engine): CacheTypeChoice {
  const notes: string[] = [];
  const common = commonType(input, engine, notes);
  const one = (setting: "kvCacheTypeK" | "kvCacheTypeV"): Chosen<string> => {
    const variable = setting === "kvCacheTypeK" ? "LLAMA_ARG_CACHE_TYPE_K" : "LLAMA_ARG_CACHE_TYPE_V";
    const ownArgument = engine === "llama-server" && common.provenance === "assumed";
    const choice =
      firstOf(
        asked(input.query?.[setting]),
        fromRunner(input.runner?.[setting]),
        // An argument wins over it: Ollama gives one as soon as a type is set with OLLAMA_KV_CACHE_TYPE.
        ownArgument ? fromEnvironment(input.environment?.[variable], variable) : undefined,
      ) ?? common;
    return { ...choice, value: cacheTypeFor(choice.value, setting, engine) };
  };
  return { keyType: one("kvCacheTypeK"), valueType: one("kvCacheTypeV"), notes };
}

/** Before v0.30 a quantised cache without flash attention switched on by hand was quietly f16. */
function commonType(input: SettingsInput, engine: Engine, notes: string[]): Chosen<string> {
  const set = input.environment?.["OLLAMA_KV_CACHE_TYPE"]?.trim().toLowerCase();
  if (set === undefined || set === "") return byDefault("f16", "Ollama's default");
  const switchedOn = environmentFlag(input.environment?.["OLLAMA_FLASH_ATTENTION"]) === true;
  const ignored =
    (engine === "llama" && isQuantizedCache(set) && !switchedOn) ||
    (engine !== "llama-server" && !["f16", "q8_0", "q4_0"].includes(set));
  if (!ignored) return { value: set, provenance: "measured", source: "from OLLAMA_KV_CACHE_TYPE" };
  notes.push(`OLLAMA_KV_CACHE_TYPE ${set.slice(0, 32)} is ignored by this version: the cache is f16`);
  return byDefault("f16", "what this version falls back to");
}

/** llama.cpp refuses to load a quantised value cache without flash attention. */
export function checkFlashAttention(flashAttention: boolean, valueType: string): void {
  if (flashAttention || !isQuantizedCache(valueType)) return;
  throw new SettingsProblem(
    "kvCacheTypeV",
    `kvCacheTypeV ${valueType} needs flash attention: the load fails without it; use f16 or turn it on`,
  );
}
