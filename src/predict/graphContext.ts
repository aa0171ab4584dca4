/** What all layers of a graph share: settings, masks, positions, rotations. */
import type { GraphTensor } from "./graphAllocator.ts";
import { input, result, type GraphBuilder } from "./graphBuilder.ts";
import type { AttentionShape, ModelShape } from "./modelShape.ts";

/** What the size of a graph depends on besides the model. */
export interface GraphSettings {
  /** Tokens computed at once. */
  tokens: number;
  /** Rows of the logits that are reserved. */
  outputRows: number;
  sequences: number;
  streams: number;
  flashAttention: boolean;
  /** On a device the embedding lookup and all inputs are copied in; on the host they lie in the same buffer. */
  onDevice: boolean;
  /** Attention keeps an f16 copy of one layer's keys and values: on Metal always, on CUDA for a quantised cache. */
  copiesCache: boolean;
  /** A quantised cache is rotated by a Hadamard matrix on its way in and out. */
  rotatesCache: boolean;
  /** Cells of one stream of the full and of the windowed cache. */
  cells: { full: number; sliding: number };
}

export type CacheKind = "full" | "sliding";

/** The inputs that attention reads for one cache. */
export interface CacheInputs {
  mask: GraphTensor;
  keyPlaces: GraphTensor;
  valuePlaces?: GraphTensor;
  keyRotation?: GraphTensor;
  valueRotation?: GraphTensor;
}

export interface GraphContext {
  graph: GraphBuilder;
  settings: GraphSettings;
  embeddingLength: number;
  /** Bytes of one f32 per token. */
  tokenBytes: number;
  positions: GraphTensor;
  outputPlaces: GraphTensor;
  cache(kind: CacheKind): CacheInputs | undefined;
  stateCopies: GraphTensor;
}

const F32 = 4;
const VALUE_ROTATION = 64;

/** The inputs that all layers share, made once. Those of a cache that no layer has are absent. */
export function createContext(shape: ModelShape, settings: GraphSettings, graph: GraphBuilder): GraphContext {
  // Copies made for a device are results like any other; on the host the inputs themselves are placed.
  const arriving = settings.onDevice ? result : input;
  const caches = new Map<CacheKind, CacheInputs>();
  for (const kind of ["full", "sliding"] as const) {
    const layer = shape.layers.find(({ attention }) => isOfKind(attention, kind))?.attention;
    if (layer !== undefined) caches.set(kind, cacheInputs(layer, { kind, settings, arriving }));
  }
  return {
    graph,
    settings,
    embeddingLength: shape.embeddingLength ?? 0,
    tokenBytes: F32 * settings.tokens,
    positions: arriving(F32 * settings.tokens),
    outputPlaces: arriving(F32 * settings.outputRows),
    cache: (kind) => caches.get(kind),
    stateCopies: arriving(F32 * settings.sequences),
  };
}

function isOfKind(attention: AttentionShape | undefined, kind: CacheKind): boolean {
  return attention !== undefined && attention.sliding === (kind === "sliding") && attention.keyWidth > 0;
}

function cacheInputs(
  layer: AttentionShape,
  place: { kind: CacheKind; settings: GraphSettings; arriving: (bytes: number) => GraphTensor },
): CacheInputs {
  const { settings, arriving } = place;
  const { tokens, flashAttention } = settings;
  const rotates = settings.rotatesCache && layer.latent?.absorbed !== true;
  // Without flash attention values are stored transposed, so every element has a place of its own.
  const valuePlaces = 8 * tokens * (flashAttention ? 1 : layer.valueWidth);
  return {
    mask: arriving((flashAttention ? 2 : F32) * tokens * settings.cells[place.kind]),
    keyPlaces: arriving(8 * tokens),
    valuePlaces: layer.valueWidth === 0 ? undefined : arriving(valuePlaces),
    keyRotation: rotates ? rotation(layer.keyLength, arriving) : undefined,
    valueRotation: rotates ? rotation(Math.min(VALUE_ROTATION, layer.valueLength), arriving) : undefined,
  };
}

/** A square matrix as long as the largest power of two in the head's length, from 64 up. */
function rotation(length: number, arriving: (bytes: number) => GraphTensor): GraphTensor | undefined {
  if (length === 0 || length % VALUE_ROTATION !== 0) return undefined;
  let size = VALUE_ROTATION;
  while (length % (size * 2) === 0) size *= 2;
  return arriving(F32 * size * size);
}
