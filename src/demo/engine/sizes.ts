/**
 * What a runner allocates, as v0.33 does on a processor without a GPU. Measured on `gemma3:270m` and a 1B llama:
 * KV sizes exact, the compute buffer 2 bytes per cell and batch token plus 20 per feed-forward column, the rest by
 * vocabulary (52 MiB at 262,144 entries, 4 MiB at 353).
 */
import type { SimulatedModel } from "./models.ts";

export const MEBIBYTE = 2 ** 20;

/** Mapped code of the runner and its libraries. */
export const RUNNER_FILE_BYTES = Math.round(14.1 * MEBIBYTE);

/** `--cache-ram`, on by default. */
export const PROMPT_CACHE_LIMIT_BYTES = 8192 * MEBIBYTE;

const F16_BYTES = 2;
const OUTPUT_BYTES = 4;

export interface RunnerShape {
  contextLength: number;
  batch: number;
}

/** llama-server's batch when nobody sets one; an encoder takes its input in one piece. */
export function automaticBatch(model: SimulatedModel, contextLength: number): number {
  if (model.architecture === "nomic-bert") return Math.min(2048, contextLength);
  if (contextLength <= 4096) return 512;
  return contextLength <= 32_768 ? 1024 : 2048;
}

export function kvCacheBytes(model: SimulatedModel, shape: RunnerShape): number {
  return fullCacheBytes(model, shape) + windowCacheBytes(model, shape);
}

/** Bytes of a copy of the state of `tokens` tokens, without checkpoints. */
export function stateBytes(model: SimulatedModel, tokens: number): number {
  const window = Math.min(model.slidingWindow?.tokens ?? 0, tokens);
  const { full, sliding } = layerKinds(model);
  return (full * tokens + sliding * window) * layerTokenBytes(model);
}

/** What restores a sliding window at a point in the past; other models need none. */
export function checkpointBytes(model: SimulatedModel): number {
  return layerKinds(model).sliding * (model.slidingWindow?.tokens ?? 0) * layerTokenBytes(model);
}

export function computeBytes(model: SimulatedModel, shape: RunnerShape): number {
  return shape.batch * (20 * model.feedForward + 2 * shape.contextLength);
}

export function outputBytes(model: SimulatedModel): number {
  return model.architecture === "nomic-bert" ? 0 : model.vocabulary * OUTPUT_BYTES;
}

export function processBytes(model: SimulatedModel): number {
  return Math.round(4 * MEBIBYTE + model.vocabulary * 192);
}

/** `size` of `/api/ps`: buffers named in the log, where the second KV cache of a sliding-window model overwrites the first. */
export function claimedBytes(model: SimulatedModel, shape: RunnerShape): number {
  const named =
    model.slidingWindow === undefined ? fullCacheBytes(model, shape) : windowCacheBytes(model, shape);
  return model.weightsBytes + named + computeBytes(model, shape) + outputBytes(model);
}

/** Once its two caches differ in size a model can no longer forget its oldest half while generating. */
export function canShift(model: SimulatedModel, shape: RunnerShape): boolean {
  return model.slidingWindow === undefined || windowCells(model, shape) === padCells(shape.contextLength);
}

function fullCacheBytes(model: SimulatedModel, shape: RunnerShape): number {
  return layerKinds(model).full * padCells(shape.contextLength) * layerTokenBytes(model);
}

function windowCacheBytes(model: SimulatedModel, shape: RunnerShape): number {
  return layerKinds(model).sliding * windowCells(model, shape) * layerTokenBytes(model);
}

function windowCells(model: SimulatedModel, shape: RunnerShape): number {
  const window = model.slidingWindow?.tokens ?? 0;
  return padCells(Math.min(shape.contextLength, window + shape.batch));
}

function layerKinds(model: SimulatedModel): { full: number; sliding: number } {
  if (model.architecture === "nomic-bert") return { full: 0, sliding: 0 };
  if (model.slidingWindow === undefined) return { full: model.layers, sliding: 0 };
  const full = Math.floor(model.layers / model.slidingWindow.every);
  return { full, sliding: model.layers - full };
}

function layerTokenBytes(model: SimulatedModel): number {
  return model.keyValueHeads * model.headWidth * F16_BYTES * 2;
}

function padCells(tokens: number): number {
  return Math.ceil(tokens / 256) * 256;
}
