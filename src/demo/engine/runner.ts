/** One llama-server process that is not there: what it was started with, how long its work takes and what it holds. */
import type { RunnerSettings } from "../../types.ts";
import type { Pace, SimulatedModel } from "./models.ts";
import {
  automaticBatch,
  canShift,
  claimedBytes,
  computeBytes,
  kvCacheBytes,
  outputBytes,
  processBytes,
  RUNNER_FILE_BYTES,
} from "./sizes.ts";
import { createSlot, type Slot } from "./slot.ts";

/** Options that a running process cannot change: another value means another process. */
export interface RunnerOptions {
  contextLength: number;
  shift: boolean;
  /** `num_gpu`, `num_thread`, … as sent. */
  others: Readonly<Record<string, number | boolean>>;
}

export interface RunnerMemory {
  anonymousBytes: number;
  fileBytes: number;
  weightsBytes: number;
  kvCacheBytes: number;
  computeBytes: number;
  checkpointBytes: number;
  promptCacheBytes: number;
}

export interface Runner {
  pid: number;
  startedAt: number;
  model: SimulatedModel;
  options: RunnerOptions;
  settings: RunnerSettings;
  argv: string[];
  modelPath: string;
  slot: Slot;
  /** `size` of `/api/ps`. */
  claimedBytes: number;
  loaded(): boolean;
  /** How much of the load is done, 0 to 1; while it is below 1 only that part is in memory. */
  setLoaded(ratio: number): void;
  /** Milliseconds to compute the tokens from `cached` to `total`. */
  prefillMs(cached: number, total: number): number;
  /** Milliseconds of the next token at this depth. */
  decodeMs(depth: number): number;
  memory(): RunnerMemory;
}

/** Part of the compute buffer that even the shortest request touches. */
const TOUCHED_AT_LEAST = 0.15;
const TOKENS_FOR_FULL_FIXED_COST = 400;

export function createRunner(parts: {
  pid: number;
  startedAt: number;
  model: SimulatedModel;
  options: RunnerOptions;
}): Runner {
  const { model, options } = parts;
  const contextLength = options.contextLength;
  const batch = Number(options.others.num_batch ?? automaticBatch(model, contextLength));
  const shape = { contextLength, batch };
  const slot = createSlot(model, {
    contextLength,
    canShift: options.shift && canShift(model, shape),
  });
  const modelPath = `/usr/share/ollama/.ollama/models/blobs/sha256-${model.blobDigest}`;
  let loadedRatio = 0;
  let touchedRatio = 0;

  return {
    ...parts,
    modelPath,
    slot,
    settings: settingsOf(model, shape, options),
    argv: commandLine({ pid: parts.pid, model, modelPath, shape, options }),
    claimedBytes: claimedBytes(model, shape),
    loaded: () => loadedRatio >= 1,
    setLoaded: (ratio) => {
      loadedRatio = ratio;
    },
    prefillMs: (cached, total) => {
      const touched = TOUCHED_AT_LEAST + (1 - TOUCHED_AT_LEAST) * Math.min(1, (total - cached) / batch);
      touchedRatio = Math.max(touchedRatio, touched);
      return rangeMs(model.pace.prefill, cached, total);
    },
    decodeMs: (depth) => model.pace.decode.perTokenMs + model.pace.decode.perTokenAndDepthMs * depth,
    memory: () => memoryOf({ model, shape, slot, loadedRatio, touchedRatio }),
  };
}

/** Getting a batch going costs something too, less for a few tokens than for a full one. */
function rangeMs(pace: Pace["prefill"], from: number, to: number): number {
  const count = to - from;
  const fixedMs = pace.fixedMs * Math.min(1, Math.max(0.15, count / TOKENS_FOR_FULL_FIXED_COST));
  return fixedMs + pace.perTokenMs * count + (pace.perTokenAndDepthMs * (to * to - from * from)) / 2;
}

/** Weights are anonymous memory: on a processor v0.33 reads the file instead of mapping it. All of the KV cache is written at load. */
function memoryOf(parts: {
  model: SimulatedModel;
  shape: { contextLength: number; batch: number };
  slot: Slot;
  loadedRatio: number;
  touchedRatio: number;
}): RunnerMemory {
  const { model, shape, slot, loadedRatio } = parts;
  const part = (bytes: number): number => Math.round(bytes * loadedRatio);
  const memory = {
    weightsBytes: part(model.weightsBytes),
    kvCacheBytes: part(kvCacheBytes(model, shape)),
    computeBytes: part(computeBytes(model, shape) * parts.touchedRatio),
    checkpointBytes: slot.checkpointBytes(),
    promptCacheBytes: slot.promptCacheBytes(),
  };
  const rest = part(processBytes(model) + outputBytes(model));
  const anonymousBytes = Object.values(memory).reduce((total, bytes) => total + bytes, rest);
  return { ...memory, anonymousBytes, fileBytes: RUNNER_FILE_BYTES };
}

function settingsOf(
  model: SimulatedModel,
  shape: { contextLength: number; batch: number },
  options: RunnerOptions,
): RunnerSettings {
  return {
    totalContextLength: shape.contextLength,
    parallel: 1,
    contextLength: shape.contextLength,
    flashAttention: "auto",
    batch: shape.batch,
    ubatch: shape.batch,
    mmap: false,
    contextShift: options.shift,
    projector: model.capabilities.includes("vision"),
  };
}

/** As v0.33 starts llama-server, in its order. */
function commandLine(parts: {
  pid: number;
  model: SimulatedModel;
  modelPath: string;
  shape: { contextLength: number; batch: number };
  options: RunnerOptions;
}): string[] {
  const { shape, model } = parts;
  const port = 30_000 + (parts.pid % 30_000);
  const only = (condition: boolean, ...words: string[]): string[] => (condition ? words : []);
  const projector = parts.modelPath.replace(/.{8}$/u, "0".repeat(8));
  return [
    "/usr/local/lib/ollama/llama-server",
    ...option("model", parts.modelPath),
    ...option("port", String(port)),
    ...option("host", "127.0.0.1"),
    "--no-webui",
    "--offline",
    "-c",
    String(shape.contextLength),
    "-np",
    "1",
    ...option("log-verbosity", "4"),
    "--no-log-prefix",
    "--no-log-timestamps",
    "--no-jinja",
    ...option("chat-template", "chatml"),
    ...only(model.capabilities.includes("vision"), "--mmproj", projector),
    ...option("load-mode", "none"),
    ...option("flash-attn", "auto"),
    ...only(model.capabilities.includes("embedding"), "--embedding"),
    "-b",
    String(shape.batch),
    "-ub",
    String(shape.batch),
    ...only(parts.options.shift, "--context-shift", "--keep", "4"),
  ];
}

function option(name: string, value: string): [string, string] {
  return [`--${name}`, value];
}
