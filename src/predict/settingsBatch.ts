import type { Backend } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";
import { isAtLeast, type OllamaVersion } from "./ollamaVersion.ts";
import {
  asked,
  byDefault,
  derived,
  firstOf,
  fromRunner,
  type Chosen,
  type SettingsInput,
} from "./settingsSource.ts";

const MEBIBYTE = 1024 ** 2;
/** What Ollama starts a runner with where nothing calls for another batch. */
const PLAIN = 512;
const ENCODER = 2048;

interface BatchContext {
  totalContextLength: number;
  contextLength: number;
  flashAttention: boolean;
  backend: Backend;
  version: OllamaVersion | undefined;
}

/** Tokens taken in and computed at once; the latter is never more than the former or the context. */
export function chooseBatch(
  input: SettingsInput,
  context: BatchContext,
): { batch: Chosen<number>; ubatch: Chosen<number> } {
  const { query, runner } = input;
  const batch =
    firstOf(asked(query?.batch), fromRunner(runner?.batch), asked(query?.ubatch)) ??
    automaticBatch(input, context);
  const ubatch =
    firstOf(asked(query?.ubatch), fromRunner(runner?.ubatch)) ?? derived(batch.value, "as the batch");
  const most = Math.min(batch.value, Math.max(1, context.totalContextLength));
  return { batch, ubatch: ubatch.value <= most ? ubatch : derived(most, "no more than batch and context") };
}

/**
 * Ollama since v0.30 raises the batch with the context of all slots together, as long as its own rough prediction
 * leaves room on the device; without one it does not look.
 */
function automaticBatch(input: SettingsInput, context: BatchContext): Chosen<number> {
  if (input.shape.embedding) {
    return derived(Math.min(ENCODER, context.contextLength), "Ollama's default for embedding models");
  }
  if (!isAtLeast(context.version, 30)) return byDefault(PLAIN, "Ollama's default");
  if (!context.flashAttention && context.backend === "cuda") {
    return byDefault(PLAIN, "Ollama's default without flash attention");
  }
  let batch = context.totalContextLength > 32_768 ? 2048 : context.totalContextLength > 4096 ? 1024 : PLAIN;
  while (batch > PLAIN && !hasRoom(batch, input, context)) batch /= 2;
  return derived(batch, `Ollama's step for ${context.totalContextLength} cells`);
}

/** Ollama's own rule: prediction within a share of the free memory, and a surcharge below four fifths of it. */
function hasRoom(batch: number, input: SettingsInput, context: BatchContext): boolean {
  const free = input.deviceFreeBytes ?? 0;
  const predicted = predictedByOllama(input.shape, context.totalContextLength);
  if (context.backend === "cpu" || free === 0 || predicted === undefined) return true;
  const share = batch >= 2048 ? 0.6 : 0.75;
  const surcharge = (batch >= 2048 ? 2048 : 768) * MEBIBYTE;
  return predicted <= free * share && predicted + surcharge <= free * 0.8;
}

/** File size + 2 · layers · least key heads · embedding ÷ heads · context · 2 bytes: what Ollama reckons with. */
function predictedByOllama(shape: ModelShape, cells: number): number | undefined {
  if (shape.weights === undefined) return undefined;
  const attention = shape.layers.map((layer) => layer.attention);
  const least = Math.min(...attention.map((layer) => keyHeads(layer?.keyWidth, layer?.keyLength)));
  const heads = Math.max(1, ...attention.map((layer) => layer?.headCount ?? 0));
  const headLength = Math.floor((shape.embeddingLength ?? 0) / heads);
  return shape.weights.totalBytes + 4 * shape.layers.length * Math.max(1, least) * headLength * cells;
}

function keyHeads(width = 0, length = 0): number {
  return length === 0 ? 0 : Math.floor(width / length);
}
