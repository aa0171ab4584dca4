import type { Split } from "../types.ts";
import { isQuantizedCache } from "./cacheTypes.ts";
import { cacheCells, type CacheCells } from "./cells.ts";
import { computeBufferBytes } from "./computeBuffer.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import type { GraphSettings } from "./graphContext.ts";
import type { ModelShape } from "./modelShape.ts";
import { placeLayers } from "./placement.ts";
import { splitOf } from "./split.ts";

const F32 = 4;
/** Positions and places in the cache, per token and cache. */
const INDEX_BYTES = 20;

/** Compute buffers of host and device. */
export function computeEstimate(shape: ModelShape, settings: EstimateSettings): Split {
  const cells = graphCells(shape, settings);
  const placement = placeLayers(shape.layers.length, settings);
  const onHost = (): number => computeBufferBytes(shape, graphSettings(settings, cells, false));
  if (!placement.outputOnDevice && placement.layersOnDevice === 0) return splitOf(onHost(), 0);
  const device = computeBufferBytes(shape, graphSettings(settings, cells, true));
  const inputs = hostInputBytes(shape, settings, cells);
  const all = placement.layersOnDevice === shape.layers.length && placement.outputOnDevice;
  // CUDA computes the large batches of host layers too, and gets their weights lent; one token at a time takes little.
  const hostComputes = !all && settings.backend !== "cuda";
  return splitOf(hostComputes ? Math.max(inputs, onHost()) : inputs, device);
}

/** An encoder attends within its batch, so its mask is as long as that. */
function graphCells(shape: ModelShape, settings: EstimateSettings): CacheCells {
  return shape.encoder
    ? { streams: 1, full: settings.ubatch, sliding: settings.ubatch }
    : cacheCells(shape, settings);
}

function graphSettings(settings: EstimateSettings, cells: CacheCells, onDevice: boolean): GraphSettings {
  const quantized = isQuantizedCache(settings.kvCacheTypeK) || isQuantizedCache(settings.kvCacheTypeV);
  const isFloat = (type: string): boolean => type === "f16";
  const copies = !isFloat(settings.kvCacheTypeK) || !isFloat(settings.kvCacheTypeV);
  return {
    tokens: settings.ubatch,
    outputRows: settings.reservesAllLogits ? settings.ubatch : Math.min(settings.parallel, settings.ubatch),
    sequences: settings.parallel,
    streams: cells.streams,
    flashAttention: settings.flashAttention,
    onDevice,
    copiesCache: onDevice && settings.flashAttention && (settings.backend === "metal" || copies),
    rotatesCache: quantized && settings.engine === "llama-server",
    cells: { full: cells.full, sliding: cells.sliding },
  };
}

/**
 * Beside a device the host keeps the looked-up embeddings twice (tokens, or embeddings given as such), the masks and
 * the places in the cache.
 */
function hostInputBytes(shape: ModelShape, settings: EstimateSettings, cells: CacheCells): number {
  const { ubatch, flashAttention } = settings;
  const kinds = [false, true].map((sliding) =>
    shape.layers.find(({ attention }) => attention?.sliding === sliding && attention.keyWidth > 0),
  );
  const [full, sliding] = kinds;
  const masked = (full === undefined ? 0 : cells.full) + (sliding === undefined ? 0 : cells.sliding);
  const valueWidth = full?.attention?.valueWidth ?? 0;
  const caches = kinds.filter((layer) => layer !== undefined).length;
  const embeddings =
    2 * F32 * ubatch * (shape.embeddingLength ?? 0) * (1 + (shape.deepstackLayerCount ?? 0)) +
    F32 * ubatch * (shape.perLayerInputWidth ?? 0);
  return flashAttention
    ? embeddings + 2 * ubatch * masked + INDEX_BYTES * ubatch * caches
    : embeddings + F32 * ubatch * masked + 8 * ubatch * valueWidth * caches;
}
