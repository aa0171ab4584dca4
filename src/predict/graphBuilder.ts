/** The tensors of a graph, by what matters for planning: size, sources, and whether they may be written over. */
import type { GraphTensor } from "./graphAllocator.ts";

/** Adds tensors to a graph in the order in which llama.cpp does: sources first, each tensor once. */
export interface GraphBuilder {
  order: GraphTensor[];
  /** Appends a tensor after everything it reads. */
  expand(tensor: GraphTensor): void;
}

/** Empty; tensors are made with the functions below and listed by `expand`. */
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

/** A norm and its weights: the second step writes over the first, and that over its source if it may. */
export function norm(of: GraphTensor): GraphTensor {
  return overwriting(of.bytes, overwriting(of.bytes, of));
}

/** Another look at a tensor's memory; `bytes` is less for a part of it. */
export function view(of: GraphTensor, bytes: number = of.bytes): GraphTensor {
  return tensor(bytes, [of], { root: of.root ?? of });
}

/** Writes into a cache: takes no memory of its own, but keeps its sources until it has run. */
export function store(...sources: readonly GraphTensor[]): GraphTensor {
  return tensor(0, sources, {});
}

function tensor(
  bytes: number,
  sources: readonly GraphTensor[],
  special: { root?: GraphTensor; isInput?: boolean; inPlace?: boolean },
): GraphTensor {
  return {
    bytes,
    sources,
    root: special.root,
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
