import type { RunnerSettings } from "../types.ts";

export type RunnerArguments = RunnerSettings & { modelPath?: string; blobDigest?: string; port?: number };

/**
 * What a runner was started with, from its arguments. Three generations are understood: `ollama runner` up to v0.11 with
 * `--ctx-size` and friends, v0.12 to v0.24 with the model alone (its parameters travel in a request, so they are absent
 * here), and `llama-server` since v0.30. Unknown arguments are ignored; what is not said is absent.
 */
export function parseRunnerArguments(argv: readonly string[]): RunnerArguments {
  const found = readOptions(argv);
  const totalContextLength = wholeNumber(found.get("context"));
  const parallel = wholeNumber(found.get("parallel"));
  const modelPath = found.get("model");
  const cacheType = found.get("cacheType");
  const isLlamaServer = programName(argv[0]).startsWith("llama-server");
  return {
    modelPath,
    blobDigest: modelPath === undefined ? undefined : blobDigestOf(modelPath),
    port: wholeNumber(found.get("port")),
    totalContextLength,
    parallel,
    contextLength:
      totalContextLength === undefined || parallel === undefined || parallel === 0
        ? undefined
        : Math.floor(totalContextLength / parallel),
    kvCacheTypeK: found.get("cacheTypeK") ?? cacheType,
    kvCacheTypeV: found.get("cacheTypeV") ?? cacheType,
    flashAttention: found.get("flashAttention"),
    batch: wholeNumber(found.get("batch")),
    ubatch: wholeNumber(found.get("ubatch")),
    mmap: mapsWeights(found, totalContextLength !== undefined),
    offloadedLayers: wholeNumber(found.get("gpuLayers")),
    threads: wholeNumber(found.get("threads")),
    contextShift: shifts(found, isLlamaServer && totalContextLength !== undefined),
    projector: found.has("projector") ? true : undefined,
  };
}

/** The last part of a program's path, in lower case and without `.exe`; both kinds of slash part it. */
export function programName(path: string | undefined): string {
  return (path ?? "")
    .replace(/^.*[\\/]/, "")
    .toLowerCase()
    .replace(/\.exe$/, "");
}

/** The hex digest in the path of a blob, `…/blobs/sha256-<hex>`; `undefined` when the path is no blob of Ollama's. */
export function blobDigestOf(path: string): string | undefined {
  return /[\\/]blobs[\\/]sha256[-:]([0-9a-f]{64})$/i.exec(path)?.[1]?.toLowerCase();
}

type Option =
  | "model"
  | "port"
  | "context"
  | "parallel"
  | "batch"
  | "ubatch"
  | "gpuLayers"
  | "threads"
  | "cacheType"
  | "cacheTypeK"
  | "cacheTypeV"
  | "flashAttention"
  | "loadMode"
  | "noMmap"
  | "projector"
  | "contextShift"
  | "noContextShift";

const OPTIONS: ReadonlyMap<string, Option> = new Map([
  ["--model", "model"],
  ["-m", "model"],
  ["--port", "port"],
  ["-c", "context"],
  ["--ctx-size", "context"],
  ["-np", "parallel"],
  ["--parallel", "parallel"],
  ["-b", "batch"],
  ["--batch-size", "batch"],
  ["-ub", "ubatch"],
  ["--ubatch-size", "ubatch"],
  ["-ngl", "gpuLayers"],
  ["--gpu-layers", "gpuLayers"],
  ["--n-gpu-layers", "gpuLayers"],
  ["-t", "threads"],
  ["--threads", "threads"],
  ["--kv-cache-type", "cacheType"],
  ["-ctk", "cacheTypeK"],
  ["--cache-type-k", "cacheTypeK"],
  ["-ctv", "cacheTypeV"],
  ["--cache-type-v", "cacheTypeV"],
  ["-fa", "flashAttention"],
  ["--flash-attn", "flashAttention"],
  ["--load-mode", "loadMode"],
  ["--no-mmap", "noMmap"],
  ["--mmproj", "projector"],
  ["--context-shift", "contextShift"],
  ["--no-context-shift", "noContextShift"],
]);

const FLAGS: ReadonlySet<Option> = new Set(["noMmap", "contextShift", "noContextShift"]);

/** Values by option; the last one wins, as in the programs themselves. */
function readOptions(argv: readonly string[]): Map<Option, string> {
  const found = new Map<Option, string>();
  for (let index = 1; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
    const option = OPTIONS.get(equals < 0 ? argument : argument.slice(0, equals));
    if (option === undefined) continue;
    const next = argv[index + 1];
    if (equals >= 0) found.set(option, argument.slice(equals + 1));
    else if (FLAGS.has(option)) found.set(option, "on");
    // Older runners have a bare `--flash-attn`; newer ones give it a word.
    else if (option === "flashAttention" && !isSwitchWord(next)) found.set(option, "on");
    else if (next !== undefined) {
      found.set(option, next);
      index += 1; // A value is no option, even when it looks like one.
    }
  }
  return found;
}

function isSwitchWord(word: string | undefined): boolean {
  return word === "on" || word === "off" || word === "auto";
}

/** Both programs map the file unless told otherwise; when they take their parameters elsewhere, it is not known. */
function mapsWeights(found: ReadonlyMap<Option, string>, saysParameters: boolean): boolean | undefined {
  if (found.has("noMmap")) return false;
  const mode = found.get("loadMode");
  if (mode !== undefined) return mode === "mmap";
  return saysParameters ? true : undefined;
}

/** Since v0.30 the shift is a launch flag and off without it; before, it came with each request. */
function shifts(found: ReadonlyMap<Option, string>, isLaunchFlag: boolean): boolean | undefined {
  if (found.has("noContextShift")) return false;
  if (found.has("contextShift")) return true;
  return isLaunchFlag ? false : undefined;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
