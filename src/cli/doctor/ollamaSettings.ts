/** Ollama's settings that decide about memory, what holds, and a line of advice each. Pure. */
import { parseGoDuration } from "../../ollama/goDuration.ts";
import { acceptedCacheTypes, isQuantizedCache } from "../../predict/cacheTypes.ts";
import { isAtLeast, parseOllamaVersion } from "../../predict/ollamaVersion.ts";
import { createRemedies } from "../../predict/remedies.ts";
import { environmentFlag } from "../../predict/settingsSource.ts";
import type { Provenance, Remedy, RunnerSettings } from "../../types.ts";

export interface OllamaSetting {
  name: string;
  /** What is set; absent when it is not, or not visible. */
  value?: string;
  /** What holds, in words. */
  effect: string;
  provenance: Provenance;
  advice?: string;
}

export interface OllamaFacts {
  variables: Readonly<Record<string, string>>;
  /** Whether what is not among them is known to be unset. */
  complete: boolean;
  version?: string | undefined;
  totalBytes?: number | undefined;
  hasGpu: boolean;
}

const GIBIBYTE = 1024 ** 3;

type Finding = { effect: string; advice?: string | undefined };
type Judge = (value: string | undefined, facts: OllamaFacts) => Finding | undefined;

/** What visible runners were started with tells of settings that cannot be read themselves. */
export function settingsOfRunners(runners: readonly RunnerSettings[]): Record<string, string> {
  const cacheType = runners.find(({ kvCacheTypeK }) => kvCacheTypeK !== undefined)?.kvCacheTypeK;
  const slots = Math.max(0, ...runners.map((runner) => runner.parallel ?? 0));
  return {
    ...(cacheType !== undefined && { OLLAMA_KV_CACHE_TYPE: cacheType }),
    // One slot is also what embedding models and some families get whatever was set.
    ...(slots > 1 && { OLLAMA_NUM_PARALLEL: String(slots) }),
  };
}

/** Undefined where this version does not know the setting, or where there is nothing to say of it. */
const JUDGES: readonly (readonly [name: string, judge: Judge])[] = [
  ["OLLAMA_CONTEXT_LENGTH", contextLength],
  ["OLLAMA_KV_CACHE_TYPE", cacheType],
  ["OLLAMA_FLASH_ATTENTION", flashAttention],
  ["LLAMA_ARG_CACHE_RAM", promptCache],
  ["LLAMA_ARG_CTX_CHECKPOINTS", checkpoints],
  ["OLLAMA_NUM_PARALLEL", parallel],
  ["OLLAMA_MAX_LOADED_MODELS", loadedModels],
  ["OLLAMA_KEEP_ALIVE", keepAlive],
  ["OLLAMA_GPU_OVERHEAD", gpuOverhead],
  ["OLLAMA_HOST", host],
  ["OLLAMA_ORIGINS", origins],
];

export function judgeOllamaSettings(facts: OllamaFacts): OllamaSetting[] {
  return JUDGES.flatMap(([name, judge]) => {
    const value = facts.variables[name]?.trim() || undefined;
    const finding = judge(value, facts);
    if (finding === undefined) return [];
    const { effect, advice } = finding;
    const provenance = value !== undefined || facts.complete ? "measured" : "assumed";
    return [
      {
        name,
        ...(value !== undefined && { value: value.slice(0, 200) }),
        effect,
        provenance,
        ...(advice !== undefined && { advice }),
      },
    ];
  });
}

function remedies({ version }: OllamaFacts) {
  return createRemedies(version === undefined ? {} : { ollamaVersion: version });
}

/** The fix in words, without its note on when Ollama reads it: that stands above the list once. */
function words(remedy: Remedy | undefined): string | undefined {
  return remedy?.text.replace(/; Ollama reads it at its start$/, "");
}

function whole(value: string | undefined): number | undefined {
  return value !== undefined && /^-?\d{1,9}$/.test(value) ? Number(value) : undefined;
}

function contextLength(value: string | undefined, facts: OllamaFacts): Finding {
  const set = whole(value);
  if (set !== undefined && set > 0) {
    return {
      effect: `${set} for whoever asks for none`,
      advice: "clients that send num_ctx still make the model load again",
    };
  }
  return {
    effect: facts.hasGpu ? "by graphics memory: 4096 below 23 GiB, 32768 below 47, else 262144" : "4096",
    advice: `${words(remedies(facts).serverContext({ contextLength: 8192 })) ?? "set num_ctx in the client or a Modelfile"}: requests over /v1 cannot set num_ctx`,
  };
}

function cacheType(value: string | undefined, facts: OllamaFacts): Finding {
  const engine = isAtLeast(parseOllamaVersion(facts.version), 30) ? "llama-server" : "llama";
  const type = value?.toLowerCase();
  if (type === undefined) {
    return {
      effect: "f16",
      advice: `${words(remedies(facts).cacheType({ type: "q8_0" })) ?? "q8_0"}: about half the memory of f16`,
    };
  }
  if (!acceptedCacheTypes(engine).includes(type)) {
    return {
      effect: engine === "llama-server" ? "not accepted: every load fails" : "not known: f16 is taken",
      advice: `write one of ${acceptedCacheTypes(engine).join(", ")}`,
    };
  }
  if (isQuantizedCache(type) && environmentFlag(facts.variables["OLLAMA_FLASH_ATTENTION"]) === false) {
    return {
      effect: "needs flash attention, which is off: loads fail",
      advice: "remove OLLAMA_FLASH_ATTENTION=0",
    };
  }
  return { effect: type, ...(type === "q4_0" && { advice: "q4_0 costs some quality; q8_0 hardly any" }) };
}

function flashAttention(value: string | undefined): Finding {
  const set = environmentFlag(value);
  if (set === false) {
    return {
      effect: "off",
      advice: "leave it unset: it saves memory wherever it is supported, and a quantised KV cache needs it",
    };
  }
  return { effect: set === true ? "on" : "on where the device supports it" };
}

function promptCache(value: string | undefined, facts: OllamaFacts): Finding | undefined {
  if (!isAtLeast(parseOllamaVersion(facts.version), 30)) return undefined;
  const set = whole(value);
  if (set === 0) {
    return {
      effect: "no earlier prompts are kept",
      advice: "each switch between chats computes its whole prompt again; 1024 is a middle way",
    };
  }
  const limitBytes =
    Math.min(8, Math.max(1, Math.round((facts.totalBytes ?? 32 * GIBIBYTE) / GIBIBYTE / 16))) * GIBIBYTE;
  const limit = set === undefined ? 8192 : set;
  if (set !== undefined && set > 0 && set * 1024 ** 2 <= limitBytes) {
    return { effect: `${set} MiB of earlier prompts per runner` };
  }
  return {
    effect:
      limit < 0
        ? "earlier prompts without a limit"
        : `up to ${limit} MiB of earlier prompts per runner, in no figure of ollama ps`,
    advice: words(remedies(facts).promptCache({ limitBytes })),
  };
}

function checkpoints(value: string | undefined, { version }: OllamaFacts): Finding | undefined {
  const set = whole(value);
  if (set === undefined || !isAtLeast(parseOllamaVersion(version), 30)) return undefined;
  return {
    effect: `up to ${set} copies of the state per slot, of models with sliding windows or recurrent layers`,
  };
}

function parallel(value: string | undefined, facts: OllamaFacts): Finding {
  const set = whole(value) ?? 0;
  if (set > 1)
    return {
      effect: `${set} slots, each with a whole KV cache`,
      advice: words(remedies(facts).singleSlot({ parallel: set })),
    };
  return { effect: "1 slot: requests for one model wait for each other" };
}

function loadedModels(value: string | undefined, facts: OllamaFacts): Finding {
  const set = whole(value) ?? 0;
  if (set === 1) return { effect: "1 model at a time" };
  return {
    effect: set > 1 ? `${set} models at a time` : "3 models at a time (3 a graphics card)",
    ...(!facts.hasGpu && {
      advice: `without a graphics card only this number counts, not memory. ${words(remedies(facts).oneModel())}`,
    }),
  };
}

function keepAlive(value: string | undefined): Finding {
  if (value === undefined) return { effect: "5m after the last request" };
  // Go reads a bare number as seconds here.
  const seconds = whole(value) ?? parseGoDuration(value);
  if (seconds === undefined)
    return { effect: "not understood: 5m is taken", advice: "write it as 5m, 1h or -1" };
  if (seconds < 0) {
    return { effect: "for ever", advice: "memory is never given back: ollama stop MODEL does it by hand" };
  }
  if (seconds === 0)
    return { effect: "not at all", advice: "each request loads the model anew; 1m keeps it through a chat" };
  return { effect: `${value} after the last request` };
}

function gpuOverhead(value: string | undefined, { version }: OllamaFacts): Finding | undefined {
  if (value === undefined || value === "0") return undefined;
  return isAtLeast(parseOllamaVersion(version), 30)
    ? {
        effect: "hardly any: since v0.30 it does not reach the runner",
        advice: "set LLAMA_ARG_FIT_TARGET (MiB) instead",
      }
    : { effect: `${value} bytes of each card are left free` };
}

function host(value: string | undefined): Finding {
  if (value === undefined) return { effect: "127.0.0.1:11434" };
  return /^(https?:\/\/)?(0\.0\.0\.0|\[::\]|:)/.test(value)
    ? {
        effect: "open to the network",
        advice:
          "clients can go around Plimsoll, and everyone on the network can use it: bind it to 127.0.0.1",
      }
    : { effect: "where it listens" };
}

function origins(value: string | undefined): Finding | undefined {
  if (value === undefined) return undefined;
  return value.split(",").some((origin) => origin.trim() === "*")
    ? { effect: "every web page may use this Ollama", advice: "name the origins that need it" }
    : { effect: `${value} may use it from a browser` };
}
