/**
 * What the arithmetic needs to know of a model. It is built once per model, from metadata, the tensor list or both, and
 * holds no arrays of a tokenizer's size.
 */
export interface ModelShape {
  /** As llama.cpp names it; Ollama's own spellings are translated. */
  architecture: string;
  /** As the file names it, which is what Ollama's own lists go by. */
  family: string;
  /** False: not in our tables, so the plain formula is used, which is an upper bound. */
  known: boolean;
  /** An encoder keeps no cache and reads its whole batch at once. */
  encoder: boolean;
  /** Made for embeddings, with a cache or without: Ollama gives it one slot and a larger batch. */
  embedding: boolean;
  embeddingLength?: number;
  vocabularySize?: number;
  /** Pairs that a byte-pair tokenizer joins. */
  mergeCount?: number;
  /** The context the model was trained for. */
  trainedContextLength?: number;
  /** Tokens a sliding layer looks back; absent when no layer slides. */
  window?: number;
  /** Layers to which an image's features are added besides: a token's input is that many embeddings longer (Qwen3-VL). */
  deepstackLayerCount?: number;
  /** Width of the per-layer input embeddings of Gemma 3n and 4, over all layers. */
  perLayerInputWidth?: number;
  layers: readonly LayerShape[];
  /** A shorter run with the same neighbours, for planning the graph: layers repeat. */
  graphLayers: readonly LayerShape[];
  /** Absent without a tensor list, or with one that has unknown types. */
  weights?: WeightShape;
  /** The list itself, to reckon with other types than the file has. */
  tensors?: readonly TensorShape[];
  /** Projector metadata was seen: images or audio come with it. */
  projector: boolean;
  /** What was missing, broken or guessed, in sentences. */
  remarks: readonly string[];
}

/** One tensor as a list tells it; `dimensions[0]` is the length of a row. */
export interface TensorShape {
  name: string;
  type: string;
  dimensions: readonly number[];
}

/** One repeating layer. Each part is there or it is not: a layer may hold attention, a state, both or neither. */
export interface LayerShape {
  attention?: AttentionShape;
  recurrent?: RecurrentShape;
  feedForward?: FeedForwardShape;
}

export interface AttentionShape {
  headCount: number;
  /** Elements of one head's key and value, as attention computes with them. */
  keyLength: number;
  valueLength: number;
  /** Elements a cell of the cache holds in this layer; 0 values: the key cache holds both (latent attention). */
  keyWidth: number;
  valueWidth: number;
  /** Looks back over a window only. */
  sliding: boolean;
  /** Reads an earlier layer's cache and has none of its own. */
  sharesCache: boolean;
  /** Query, key and value come out of one multiplication. */
  fused: boolean;
  /** Queries and keys are turned by their position, into new tensors. */
  turned: boolean;
  /** The query comes with a gate of its own width. */
  gated: boolean;
  /** Key width of a sparse-attention indexer's own cache. */
  indexerWidth?: number;
  /** One cell for this many tokens, in a cache beside the sliding one (DeepSeek-V4). */
  compressRatio?: number;
  latent?: LatentShape;
}

/** Multi-head latent attention: keys and values are kept compressed. */
export interface LatentShape {
  /** True: attention works on the compressed form. False: files older than April 2025, which unpack it into the cache. */
  absorbed: boolean;
  rank: number;
  ropeLength: number;
  /** Elements of a query before it is split into heads; absent when there is no such step. */
  queryRank?: number;
}

export type RecurrentKind = "mamba" | "mamba2" | "delta" | "convolution" | "rwkv";

/** State that a layer carries from token to token: its size does not depend on the context. Elements are f32. */
export interface RecurrentShape {
  kind: RecurrentKind;
  convolutionElements: number;
  stateElements: number;
  innerLength: number;
  stateLength: number;
  groupCount: number;
  headCount: number;
  /** Keys and queries are repeated to as many heads as there are values (Qwen3-Next, not its successors). */
  repeatsKeys?: boolean;
}

export interface FeedForwardShape {
  /** Width of the dense part; 0 when there are only experts. */
  length: number;
  gated: boolean;
  /** Gate and up projection are one matrix. */
  fused: boolean;
  experts?: ExpertShape;
}

export interface ExpertShape {
  count: number;
  used: number;
  length: number;
  sharedLength: number;
  gated: boolean;
  /** The input is multiplied by the weights, not the output (Llama 4). */
  weightsFirst: boolean;
}

/** Bytes of the weights by where they may lie. */
export interface WeightShape {
  /** Token, position and per-layer embeddings: always in host memory. */
  inputBytes: number;
  tokenEmbeddingBytes: number;
  /** Output norm and head, and whatever belongs to no layer. */
  outputBytes: number;
  /** No output head of its own: the token embedding serves twice. */
  tied: boolean;
  /** One entry a layer, with the part that is experts and so read only in part for a token. */
  layers: readonly { bytes: number; expertBytes: number }[];
  projectorBytes: number;
  /** Layers for predicting several tokens at once: there, but not read for a token. */
  predictionBytes: number;
  /** All of the above: the tensors of the file. */
  totalBytes: number;
  tensorCount: number;
}
