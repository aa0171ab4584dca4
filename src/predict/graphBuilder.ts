import type { GraphTensor } from "./graphAllocator.ts";

/** Adds tensors to a graph in the order in which llama.cpp does: sources first, each tensor once. */
export interface GraphBuilder {
  order: GraphTensor[];
  /** Appends a tensor after everything it reads. */
  expand(tensor: GraphTensor): void;
}

export function createGraph(): GraphBuilder {
  const order: GraphTensor[] = [];
  const expand = (tensor: GraphTensor): void => {
    if (tensor.listed) return;
    tensor.listed = true;
    for (const source of tensor.sources) expand(source);
    if (!tensor.isInput) order.push(tensor);
  };
  return { order, expand };
}

/** Something filled from outside before the graph runs. */
export function input(bytes: number): GraphTensor {
  return tensor(bytes, [], { isInput: true });
}

/** A result with memory of its own. Weights and caches lie elsewhere and are not listed as sources. */
export function result(bytes: number, ...sources: readonly GraphTensor[]): GraphTensor {
  return tensor(bytes, sources, {});
}

/** A result that may be written over its first source: norms, sums, products, scales, activations. */
export function overwriting(bytes: number, ...sources: readonly GraphTensor[]): GraphTensor {
  return tensor(bytes, sources, { inPlace: true });
}

/** Another look at a tensor's memory; with fewer `bytes`, at a part of each of its rows. */
export function view(of: GraphTensor, bytes: number = of.bytes): GraphTensor {
  return tensor(bytes, [of], { root: of.root ?? of, strided: bytes !== of.bytes });
}

/** The first of several results that one operation left behind each other. */
export function firstPart(of: GraphTensor, bytes: number): GraphTensor {
  return tensor(bytes, [of], { root: of.root ?? of });
}

/** Writes into a cache: takes no memory of its own, but keeps its sources until it has run. */
export function store(...sources: readonly GraphTensor[]): GraphTensor {
  return tensor(0, sources, {});
}

function tensor(
  bytes: number,
  sources: readonly GraphTensor[],
  special: { root?: GraphTensor; strided?: boolean; isInput?: boolean; inPlace?: boolean },
): GraphTensor {
  return {
    bytes,
    sources,
    root: special.root,
    strided: special.strided ?? false,
    isInput: special.isInput ?? false,
    inPlace: special.inPlace ?? false,
    kept: false,
    readers: 0,
    views: 0,
    offset: -1,
    placed: false,
    listed: false,
  };
}
