/** What two runners of one model were started with, and in which of it they differ. */
import type { Load, RunnerSettings } from "../types.ts";

export interface StartedWith {
  settings?: RunnerSettings;
  /** Of one slot, where the arguments do not say it. */
  contextLength?: number;
  /** As sent by the request that made it start; undefined when nobody saw that request. */
  options?: Readonly<Record<string, number | boolean>>;
}

type Differences = NonNullable<Load["differences"]>;

/** By the words that people set them with. A client sends those in small letters, the others are Ollama's environment. */
const SETTINGS = [
  ["contextLength", "num_ctx"],
  ["parallel", "OLLAMA_NUM_PARALLEL"],
  ["kvCacheTypeK", "OLLAMA_KV_CACHE_TYPE"],
  ["flashAttention", "OLLAMA_FLASH_ATTENTION"],
  ["batch", "num_batch"],
  ["offloadedLayers", "num_gpu"],
  ["mmap", "use_mmap"],
  ["threads", "num_thread"],
  ["contextShift", "shift"],
] as const;

/** Sent by clients and not to be seen in every runner's arguments. */
const OPTIONS = [
  "num_ctx",
  "num_batch",
  "num_gpu",
  "main_gpu",
  "use_mmap",
  "num_thread",
  "draft_num_predict",
  "shift",
] as const;

export function differencesOf(from: StartedWith, to: StartedWith): Differences {
  const seen = seenDifferences(from, to);
  const named = new Set(seen.map(({ option }) => option));
  const more = [
    ...environmentDifferences(from.settings?.environment, to.settings?.environment),
    ...askedDifferences(from.options, to.options).filter(({ option }) => !isVisible(option, from, to)),
  ].filter(({ option }) => !named.has(option));
  return withoutConsequences([...seen, ...more], from, to);
}

/**
 * Whether a request with these options would make Ollama load the model again, as far as its own rule is known: every
 * option that starts a runner has to be the same, a smaller context is another one, a negative `num_gpu` is none.
 */
export function askedDifferences(from: StartedWith["options"], to: StartedWith["options"]): Differences {
  if (from === undefined || to === undefined) {
    return [];
  }
  return OPTIONS.flatMap((option) => {
    const before = meant(option, from[option]);
    const after = meant(option, to[option]);
    return before === after ? [] : [difference(option, before, after)];
  });
}

function seenDifferences(from: StartedWith, to: StartedWith): Differences {
  return SETTINGS.flatMap(([setting, option]) => {
    const before = valueOf(setting, from);
    const after = valueOf(setting, to);
    return before === undefined || after === undefined || before === after
      ? []
      : [difference(option, before, after)];
  });
}

/** Ollama was started again with other variables. */
function environmentDifferences(
  from: Readonly<Record<string, string>> | undefined,
  to: Readonly<Record<string, string>> | undefined,
): Differences {
  if (from === undefined || to === undefined) {
    return [];
  }
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
  return names.flatMap((name) => (from[name] === to[name] ? [] : [difference(name, from[name], to[name])]));
}

type Setting = (typeof SETTINGS)[number][0];

function valueOf(
  setting: Setting,
  { settings, contextLength }: StartedWith,
): number | boolean | string | undefined {
  if (setting === "contextLength") {
    return settings?.contextLength ?? contextLength;
  }
  // Arguments that name the context name everything that is not at its default.
  const speaks = settings?.totalContextLength !== undefined;
  return settings?.[setting] ?? (speaks && setting === "kvCacheTypeK" ? "f16" : undefined);
}

function isVisible(option: string, from: StartedWith, to: StartedWith): boolean {
  const setting = SETTINGS.find(([, name]) => name === option)?.[0];
  return setting !== undefined && valueOf(setting, from) !== undefined && valueOf(setting, to) !== undefined;
}

/** The automatic batch follows the context: it differs because something else does, unless someone asked for one. */
function withoutConsequences(differences: Differences, from: StartedWith, to: StartedWith): Differences {
  const asked = from.options?.["num_batch"] !== undefined || to.options?.["num_batch"] !== undefined;
  const cause = differences.some(({ option }) => option === "num_ctx" || option === "OLLAMA_NUM_PARALLEL");
  return asked || !cause ? differences : differences.filter(({ option }) => option !== "num_batch");
}

function meant(option: string, value: number | boolean | undefined): number | boolean | undefined {
  if (option === "num_gpu" && typeof value === "number" && value < 0) {
    return undefined;
  }
  return option === "shift" ? (value ?? true) : value;
}

function difference(
  option: string,
  from: number | boolean | string | undefined,
  to: number | boolean | string | undefined,
): Differences[number] {
  return {
    option,
    ...(from !== undefined && { from: String(from) }),
    ...(to !== undefined && { to: String(to) }),
  };
}
