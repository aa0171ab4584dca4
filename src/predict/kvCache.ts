/** Bytes of the caches of keys, values and recurrent states. */
import type { MemoryEstimate, Split } from "../types.ts";
import { cacheType } from "./cacheTypes.ts";
import { cacheCells } from "./cells.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import { rowBytes } from "./ggmlTypes.ts";
import type { AttentionShape, ModelShape } from "./modelShape.ts";
import { placeLayers, type Placement } from "./placement.ts";
import { splitOf } from "./split.ts";

type Cache = MemoryEstimate["caches"][number];

/** All caches of a runner, over its slots. */
export interface CacheEstimate {
  kvCacheBytes: Split;
  recurrentStateBytes: Split;
  /** What one more token of context costs once the windows are full. */
  kvBytesPerToken: number;
  caches: Cache[];
}

const F32 = 4;
const HEADLESS: AttentionShape = {
  headCount: 0,
  keyLength: 0,
  valueLength: 0,
  keyWidth: 0,
  valueWidth: 0,
  sliding: false,
  sharesCache: false,
  fused: false,
  turned: false,
  gated: false,
};

/** Bytes of every cache: per layer cells × (row of keys + row of values) × streams, and the states. */
export function cacheEstimate(shape: ModelShape, settings: EstimateSettings): CacheEstimate {
  const placement = placeLayers(shape.layers.length, settings);
  const attention = attentionCaches(shape, settings, placement);
  const state = stateCache(shape, settings, placement);
  return {
    kvCacheBytes: splitOf(attention.hostBytes, attention.deviceBytes),
    recurrentStateBytes: splitOf(state.hostBytes, state.deviceBytes),
    kvBytesPerToken: attention.perToken,
    caches: [...attention.caches, ...state.caches].filter(({ layerCount }) => layerCount > 0),
  };
}

interface Sums {
  hostBytes: number;
  deviceBytes: number;
  perToken: number;
  caches: Cache[];
}

function attentionCaches(shape: ModelShape, settings: EstimateSettings, placement: Placement): Sums {
  const cells = cacheCells(shape, settings);
  const row = rowSizer(shape, settings);
  const full: Cache = { kind: "full", layerCount: 0, cells: cells.full, bytes: 0 };
  const sliding: Cache = { kind: "sliding", layerCount: 0, cells: cells.sliding, bytes: 0 };
  const sums: Sums = { hostBytes: 0, deviceBytes: 0, perToken: 0, caches: [full, sliding] };
  // A cache of its own (no hybrid) has an entry for each layer, were its heads none.
  const everyLayer = !shape.encoder && shape.layers.every(({ recurrent }) => recurrent === undefined);
  shape.layers.forEach((each, layer) => {
    const attention = each.attention ?? (everyLayer ? HEADLESS : undefined);
    if (shape.encoder || attention === undefined || attention.sharesCache) return;
    const cache = attention.sliding ? sliding : full;
    const perCell = row(attention);
    const beside = besideCache(attention, settings);
    const bytes = cells.streams * ((cache.cells ?? 0) * perCell + beside.bytesOf(cells.full));
    cache.layerCount += 1;
    cache.bytes += bytes;
    sums.perToken += (attention.sliding ? 0 : perCell) + beside.perToken;
    if (placement.onDevice(layer)) sums.deviceBytes += bytes;
    else sums.hostBytes += bytes;
  });
  return sums;
}

/** Bytes a layer needs for one token. */
function rowSizer(shape: ModelShape, settings: EstimateSettings): (attention: AttentionShape) => number {
  const [keys, values] = [cacheType(settings.kvCacheTypeK), cacheType(settings.kvCacheTypeV)];
  // Values are stored transposed without flash attention, in rows as wide as the widest layer's.
  const widest = shape.layers.reduce(
    (width, { attention }) => Math.max(width, attention?.valueWidth ?? 0),
    0,
  );
  return ({ keyWidth, valueWidth, latent }) => {
    const width = settings.flashAttention || latent?.absorbed === true ? valueWidth : widest;
    return rowBytes(keys, keyWidth) + rowBytes(values, width);
  };
}

/** Caches of keys only that some layers keep beside: a sparse-attention indexer's, or compressed ones. */
function besideCache(
  attention: AttentionShape,
  settings: EstimateSettings,
): { bytesOf(cells: number): number; perToken: number } {
  const keys = cacheType(settings.kvCacheTypeK);
  const indexer = rowBytes(keys, attention.indexerWidth ?? 0);
  const ratio = attention.compressRatio;
  if (ratio === undefined) return { bytesOf: (cells) => cells * indexer, perToken: indexer };
  const compressed = rowBytes(keys, attention.keyWidth) + indexer;
  return {
    bytesOf: (cells) => Math.ceil(cells / ratio) * compressed,
    perToken: Math.ceil(compressed / ratio),
  };
}

function stateCache(shape: ModelShape, settings: EstimateSettings, placement: Placement): Sums {
  const rows = settings.parallel * (1 + settings.rollbackStates);
  const cache: Cache = { kind: "recurrent", layerCount: 0, bytes: 0 };
  const sums: Sums = { hostBytes: 0, deviceBytes: 0, perToken: 0, caches: [cache] };
  shape.layers.forEach(({ recurrent }, layer) => {
    if (recurrent === undefined) return;
    const bytes = rows * F32 * (recurrent.convolutionElements + recurrent.stateElements);
    cache.layerCount += 1;
    cache.bytes += bytes;
    if (placement.onDevice(layer)) sums.deviceBytes += bytes;
    else sums.hostBytes += bytes;
  });
  return sums;
}
