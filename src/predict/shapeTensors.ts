/** A tensor list by layer, for whoever wants to know what a layer is made of. */
import type { TensorShape } from "./modelShape.ts";
import { wholeNumber } from "./shapeMetadata.ts";

/** Dimensions by name without the `blk.N.` prefix, for one layer. */
export type LayerTensors = ReadonlyMap<string, readonly number[]>;

export interface TensorIndex {
  all: readonly TensorShape[];
  layer(index: number): LayerTensors;
  /** Dimensions of a tensor that belongs to no layer. */
  find(name: string): readonly number[] | undefined;
  /** One more than the highest layer number seen. */
  layerCount: number;
}

const MOST_TENSORS = 200_000;
/** llama.cpp loads at most this many layers. */
export const MOST_LAYERS = 512;
const LAYER_NAME = /^blk\.(\d{1,4})\.(.+)$/;
const NO_TENSORS: LayerTensors = new Map();

/** Splits a layer's tensor name into its number and the rest. */
export function layerOfTensor(name: string): { layer: number; rest: string } | undefined {
  const match = LAYER_NAME.exec(name);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { layer: Number(match[1]), rest: match[2] };
}

/** Layers past `MOST_LAYERS` count as none: a number in a name must not make a list of thousands. */
export function indexTensors(tensors: readonly TensorShape[]): TensorIndex {
  const layers = new Map<number, Map<string, readonly number[]>>();
  const others = new Map<string, readonly number[]>();
  let layerCount = 0;
  for (const tensor of tensors) {
    const place = layerOfTensor(tensor.name);
    if (place === undefined || place.layer >= MOST_LAYERS) {
      others.set(tensor.name, tensor.dimensions);
      continue;
    }
    let layer = layers.get(place.layer);
    if (layer === undefined) layers.set(place.layer, (layer = new Map()));
    layer.set(place.rest, tensor.dimensions);
    layerCount = Math.max(layerCount, place.layer + 1);
  }
  return {
    all: tensors,
    layer: (index) => layers.get(index) ?? NO_TENSORS,
    find: (name) => others.get(name),
    layerCount,
  };
}

/**
 * The `tensors` of `/api/show`. One broken entry makes the whole list useless for a sum, so then there is none and
 * `remarks` says which.
 */
export function readTensorList(value: unknown, remarks: string[]): TensorShape[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if (value.length > MOST_TENSORS) {
    remarks.push(`the tensor list has ${value.length} entries, more than any model: it is not used`);
    return undefined;
  }
  const tensors: TensorShape[] = [];
  for (const entry of value as unknown[]) {
    const tensor = readTensor(entry);
    if (tensor === undefined) {
      remarks.push(`tensor ${tensors.length} of the list is not readable: weights are left out`);
      return undefined;
    }
    tensors.push(tensor);
  }
  return tensors;
}

function readTensor(entry: unknown): TensorShape | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { name, type, shape } = entry as { name?: unknown; type?: unknown; shape?: unknown };
  if (typeof name !== "string" || typeof type !== "string" || !Array.isArray(shape)) return undefined;
  const dimensions = shape.map((dimension) => wholeNumber(dimension));
  if (dimensions.length === 0 || dimensions.length > 4 || dimensions.includes(undefined)) return undefined;
  return {
    name: name.slice(0, 128),
    type: type.slice(0, 16),
    dimensions: dimensions.map((size) => size ?? 0),
  };
}
