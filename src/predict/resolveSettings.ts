import { cacheTypeFor, isQuantizedCache } from "./cacheTypes.ts";
import { SettingsProblem, type Assumption, type Backend, type Engine, type EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";
import { engineOf, isAtLeast, parseOllamaVersion, type OllamaVersion } from "./ollamaVersion.ts";
import { chooseBatch } from "./settingsBatch.ts";
import { chooseContext, chooseParallel } from "./settingsContext.ts";
import {
  asked,
  byDefault,
  derived,
  environmentFlag,
  firstOf,
  fromEnvironment,
  fromRunner,
  type Chosen,
  type SettingsInput,
} from "./settingsSource.ts";

const MEBIBYTE = 1024 ** 2;
const PROMPT_CACHE_MEBIBYTES = 8192;
/** Architectures that can take drafted tokens back, so that their states are kept several times. */
const TAKES_BACK: ReadonlySet<string> = new Set(
  "qwen35 qwen35moe nemotron_h lfm2 lfm2moe kimi-k3 deepseek4 bailingmoe3".split(" "),
);

/**
 * Settles every setting: the question asked, else the runner's arguments, its environment, `/api/ps`, else Ollama's
 * defaults by version and graphics memory. Each is listed in `assumptions` with where it comes from.
 * Throws {@link SettingsProblem} for what the server would not accept.
 */
export function resolveSettings(input: SettingsInput): EstimateSettings {
  checkQuery(input);
  const { shape, query } = input;
  const version = parseOllamaVersion(query?.ollamaVersion ?? input.ollamaVersion);
  const engine = engineOf(version, shape.family);
  const backend = chooseBackend(input);
  const parallel = chooseParallel(input, version);
  const context = chooseContext(input, parallel.value, version);
  const attention = chooseFlashAttention(input);
  const types = chooseCacheTypes(input, engine);
  checkFlashAttention(attention.value, types.valueType.value);
  const batches = chooseBatch(input, {
    totalContextLength: context.total.value,
    contextLength: context.perSlot.value,
    flashAttention: attention.value,
    backend: backend.value,
    version,
  });
  const chosen = {
    backend,
    contextLength: context.perSlot,
    totalContextLength: context.total,
    parallel,
    unifiedKv: asked(query?.unifiedKv) ?? byDefault(false, "Ollama gives each slot its own cache"),
    kvCacheTypeK: types.keyType,
    kvCacheTypeV: types.valueType,
    flashAttention: attention,
    ...batches,
    fullSlidingWindow: asked(query?.fullSlidingWindow) ?? byDefault(false, "llama-server's default"),
    offloadedLayers: chooseOffload(input, backend.value),
    mmap: chooseMmap(input, backend.value),
  };
  return {
    ...values(chosen),
    engine,
    reservesAllLogits: engine === "llama" || !isAtLeast(version, 30, 1),
    rollbackStates: TAKES_BACK.has(shape.architecture) ? (input.draftTokens ?? 0) : 0,
    promptCacheLimitBytes: promptCacheLimit(input, engine),
    draft: input.draft,
    assumptions: [
      { name: "engine", value: engineWords(engine, version), provenance: "derived" },
      ...Object.entries(chosen).map(([name, choice]) => listed(name, choice)),
      ...[...context.notes, ...types.notes, ...remarks(shape, chosen)].map((value): Assumption => ({ name: "note", value, provenance: "derived" })),
    ],
  };
}

function values<T extends Record<string, Chosen<unknown>>>(chosen: T): { [K in keyof T]: T[K]["value"] } {
  const entries = Object.entries(chosen).map(([name, { value }]) => [name, value] as const);
  return Object.fromEntries(entries) as { [K in keyof T]: T[K]["value"] };
}

function listed(name: string, choice: Chosen<unknown>): Assumption {
  return { name, value: `${String(choice.value)} (${choice.source})`, provenance: choice.provenance };
}
