import { isQuantizedCache } from "./cacheTypes.ts";
import type { Assumption, Engine, EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";
import type { CpuKind } from "./repack.ts";
import { engineOf, isAtLeast, parseOllamaVersion, type OllamaVersion } from "./ollamaVersion.ts";
import { checkFlashAttention, chooseCacheTypes, chooseFlashAttention } from "./settingsAttention.ts";
import { chooseBatch } from "./settingsBatch.ts";
import { checkQuery } from "./settingsCheck.ts";
import { chooseContext, chooseParallel } from "./settingsContext.ts";
import { chooseBackend, chooseMmap, chooseOffload } from "./settingsDevice.ts";
import {
  argumentFlag,
  asked,
  byDefault,
  derived,
  firstOf,
  fromEnvironment,
  type Chosen,
  type SettingsInput,
} from "./settingsSource.ts";

const MEBIBYTE = 1024 ** 2;
const PROMPT_CACHE_MEBIBYTES = 8192;
/** Architectures that can take drafted tokens back, so their states are kept several times. */
const TAKES_BACK: ReadonlySet<string> = new Set(
  "qwen35 qwen35moe nemotron_h lfm2 lfm2moe kimi-k3 deepseek4 bailingmoe3".split(" "),
);

/**
 * Settles every setting: the question asked, else the runner's arguments, its environment, `/api/ps`, else Ollama's
 * defaults by version and graphics memory. Each is listed in `assumptions` with where it comes from.
 * Throws {@link SettingsProblem} for what the server would not accept.
 */
export function resolveSettings(input: SettingsInput): EstimateSettings {
  checkQuery(input.query);
  const version = parseOllamaVersion(input.query?.ollamaVersion ?? input.ollamaVersion);
  const engine = engineOf(version, input.shape.family);
  const { chosen, notes } = choose(input, version, engine);
  return {
    engine,
    backend: chosen.backend.value,
    cpu: chosen.cpu.value,
    contextLength: chosen.contextLength.value,
    totalContextLength: chosen.totalContextLength.value,
    parallel: chosen.parallel.value,
    unifiedKv: chosen.unifiedKv.value,
    kvCacheTypeK: chosen.kvCacheTypeK.value,
    kvCacheTypeV: chosen.kvCacheTypeV.value,
    flashAttention: chosen.flashAttention.value,
    batch: chosen.batch.value,
    ubatch: chosen.ubatch.value,
    fullSlidingWindow: chosen.fullSlidingWindow.value,
    offloadedLayers: chosen.offloadedLayers.value,
    mmap: chosen.mmap.value,
    reservesAllLogits: engine !== "ollama" && !isAtLeast(version, 30, 1),
    rollbackStates: TAKES_BACK.has(input.shape.architecture) ? (input.draftTokens ?? 0) : 0,
    promptCacheLimitBytes: promptCacheLimit(input, engine),
    draft: input.draft,
    assumptions: [
      { name: "engine", value: engineWords(engine, version), provenance: "derived" },
      ...Object.entries(chosen).map(([name, choice]) => listed(name, choice)),
      ...[...notes, ...remarks(input.shape, chosen)].map(asNote),
    ],
  };
}

function choose(input: SettingsInput, version: OllamaVersion | undefined, engine: Engine) {
  const { query } = input;
  const backend = chooseBackend(input);
  const parallel = chooseParallel(input, version);
  const context = chooseContext(input, parallel.value, version);
  const flashAttention = chooseFlashAttention(input);
  const types = chooseCacheTypes(input, engine);
  checkFlashAttention(flashAttention.value, types.valueType.value);
  const offloadedLayers = chooseOffload(input, backend.value);
  const chosen = {
    backend,
    cpu:
      input.cpu === undefined
        ? byDefault<CpuKind>("x86", "when nothing is known")
        : derived(input.cpu, "what this machine has"),
    contextLength: context.perSlot,
    totalContextLength: context.total,
    parallel,
    unifiedKv:
      firstOf(asked(query?.unifiedKv), flagFor("LLAMA_ARG_KV_UNIFIED", input, engine)) ??
      byDefault(false, "Ollama gives each slot its own cache"),
    kvCacheTypeK: types.keyType,
    kvCacheTypeV: types.valueType,
    flashAttention,
    ...chooseBatch(input, {
      totalContextLength: context.total.value,
      contextLength: context.perSlot.value,
      flashAttention: flashAttention.value,
      backend: backend.value,
      version,
    }),
    fullSlidingWindow:
      firstOf(asked(query?.fullSlidingWindow), flagFor("LLAMA_ARG_SWA_FULL", input, engine)) ??
      byDefault(false, "the runner's default"),
    offloadedLayers,
    mmap: chooseMmap(input, { backend: backend.value, offloadedLayers: offloadedLayers.value }),
  };
  return { chosen, notes: [...context.notes, ...types.notes] };
}

/** Ollama hands its environment on, and `llama-server` reads what no argument says from there. */
function flagFor(name: string, input: SettingsInput, engine: Engine): Chosen<boolean> | undefined {
  return engine === "llama-server"
    ? fromEnvironment(argumentFlag(input.environment?.[name]), name)
    : undefined;
}

/** llama-server keeps states of past prompts in host memory, 8 GiB unless its environment says otherwise. */
function promptCacheLimit(input: SettingsInput, engine: Engine): number | undefined {
  if (engine !== "llama-server" || input.shape.embedding) return undefined;
  const set = input.environment?.["LLAMA_ARG_CACHE_RAM"]?.trim();
  if (set === undefined || set === "") return PROMPT_CACHE_MEBIBYTES * MEBIBYTE;
  return /^\d{1,9}$/.test(set) ? Number(set) * MEBIBYTE : undefined;
}

/** What would make the load fail or differ, though no number here shows it. */
function remarks(
  shape: ModelShape,
  chosen: { kvCacheTypeK: Chosen<string>; kvCacheTypeV: Chosen<string>; parallel: Chosen<number> },
): string[] {
  const [keys, values] = [chosen.kvCacheTypeK.value, chosen.kvCacheTypeV.value];
  const quantized = isQuantizedCache(keys) || isQuantizedCache(values);
  const odd = shape.layers.find(({ attention }) => (attention?.keyLength ?? 0) % 32 !== 0);
  const latent = shape.layers.some(({ attention }) => attention?.latent?.absorbed === true);
  return [
    ...(quantized && odd !== undefined
      ? [`heads of ${odd.attention?.keyLength} do not divide by 32: a quantised cache fails to load`]
      : []),
    ...(latent && keys !== values
      ? ["latent attention needs one type for keys and values: this fails to load"]
      : []),
  ];
}

function listed(name: string, choice: Chosen<unknown>): Assumption {
  return { name, value: `${String(choice.value)} (${choice.source})`, provenance: choice.provenance };
}

function asNote(value: string): Assumption {
  return { name: "note", value, provenance: "derived" };
}

function engineWords(engine: Engine, version: OllamaVersion | undefined): string {
  const named =
    version === undefined
      ? "unknown version, taken for the newest"
      : `v${version.major}.${version.minor}.${version.patch}`;
  return `${engine} (Ollama ${named})`;
}
