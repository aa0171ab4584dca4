/** What settings are chosen from, and how a choice says where it comes from. */
import type { Provenance, RunnerSettings } from "../types.ts";
import type { Backend } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";
import type { CpuKind } from "./repack.ts";

/** What someone asks about: every field may be left out. Names are those of the HTTP API. */
export interface SettingsQuery {
  /** Of one slot; clipped to the trained length, as Ollama does. */
  contextLength?: number;
  /** llama-server's `-c`, over all slots; never clipped. */
  totalContextLength?: number;
  parallel?: number;
  kvCacheTypeK?: string;
  kvCacheTypeV?: string;
  batch?: number;
  ubatch?: number;
  flashAttention?: boolean;
  unifiedKv?: boolean;
  fullSlidingWindow?: boolean;
  offloadedLayers?: number;
  mmap?: boolean;
  backend?: Backend;
  ollamaVersion?: string;
}

export interface SettingsInput {
  shape: ModelShape;
  query?: SettingsQuery;
  /** What the runner was started with. */
  runner?: RunnerSettings;
  /** The runner's environment, or the server's when it is known. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** What `/api/ps` says of the loaded model. */
  ps?: { contextLength?: number };
  /** `parameters` of `/api/show`: one `key value` a line. */
  modelParameters?: string;
  /** The server's version; the query's wins. */
  ollamaVersion?: string;
  /** Memory of all graphics cards; absent or 0 without one. */
  vramBytes?: number;
  /** What this machine computes on when nothing else is said. */
  backend?: Backend;
  /** What this machine's CPU is; `amx` only when `rewroteForTiles` said so of a loaded model. */
  cpu?: CpuKind;
  /** Free on all graphics cards together. */
  deviceFreeBytes?: number;
  /** How many layers, the output counted as one, find a place on the device: `withLayersThatFit`. */
  layersThatFit?: number;
  draft?: ModelShape;
  /** Tokens drafted at once, which is how many earlier states are kept. */
  draftTokens?: number;
}

/** A value with where it comes from. */
export interface Chosen<T> {
  value: T;
  provenance: Provenance;
  /** In words, after the value: `as asked`, `from the runner's arguments`. */
  source: string;
}

/** The first candidate that is there. */
export function firstOf<T>(...candidates: readonly (Chosen<T> | undefined)[]): Chosen<T> | undefined {
  return candidates.find((candidate) => candidate !== undefined);
}

/** What the question names. Undefined stays undefined in all of these, so that `firstOf` goes on to the next. */
export function asked<T>(value: T | undefined): Chosen<T> | undefined {
  return chosen(value, "assumed", "as asked");
}

/** As the runner was started: nothing is surer. */
export function fromRunner<T>(value: T | undefined): Chosen<T> | undefined {
  return chosen(value, "measured", "from the runner's arguments");
}

/** `name`: of the variable, shown beside the value. */
export function fromEnvironment<T>(value: T | undefined, name: string): Chosen<T> | undefined {
  return chosen(value, "measured", `from ${name}`);
}

/** `why`: whose default it is. */
export function byDefault<T>(value: T, why: string): Chosen<T> {
  return { value, provenance: "assumed", source: why };
}

/** `why`: from what it follows. */
export function derived<T>(value: T, why: string): Chosen<T> {
  return { value, provenance: "derived", source: why };
}

function chosen<T>(value: T | undefined, provenance: Provenance, source: string): Chosen<T> | undefined {
  return value === undefined ? undefined : { value, provenance, source };
}

/** A whole number from 1 up in an environment variable; anything else says nothing. */
export function environmentCount(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value.trim()) && Number(value) > 0
    ? Number(value)
    : undefined;
}

/** llama.cpp's own words for on and off, which it takes in small letters only; undefined for anything else. */
export function argumentFlag(value: string | undefined): boolean | undefined {
  const word = value?.trim() ?? "";
  if (["on", "enabled", "true", "1"].includes(word)) return true;
  if (["off", "disabled", "false", "0"].includes(word)) return false;
  return undefined;
}

/** Go's boolean words; undefined for anything else. */
export function environmentFlag(value: string | undefined): boolean | undefined {
  const word = value?.trim().toLowerCase();
  if (word === "1" || word === "t" || word === "true") return true;
  if (word === "0" || word === "f" || word === "false") return false;
  return undefined;
}
