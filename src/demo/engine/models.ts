/** The models on the simulated shelf: real shapes, so that arithmetic over them comes out as it would for the real ones. */
import { createHash } from "node:crypto";
import { elementCount, modelTensors, tensorBytes, type Tensor } from "./tensors.ts";

export interface ModelSpec {
  name: string;
  architecture: "llama" | "gemma3" | "qwen2" | "nomic-bert";
  sizeLabel: string;
  quantization: "Q4_K_M" | "F16";
  capabilities: readonly ("completion" | "tools" | "insert" | "vision" | "embedding")[];
  layers: number;
  embedding: number;
  feedForward: number;
  heads: number;
  keyValueHeads: number;
  headWidth: number;
  vocabulary: number;
  trainedContext: number;
  tiedEmbedding: boolean;
  /** All layers but each `every`th see only this many tokens back. */
  slidingWindow?: { tokens: number; every: number };
  pace: Pace;
}

/**
 * Milliseconds a token costs: `perToken + perTokenAndDepth × tokens before it`. The ratios of `gemma3:270m` are fitted to
 * a recorded chat of 20 turns at num_ctx 8192 (436 new tokens at depth 0: 738 ms, at depth 7280: 1319 ms; 7772 from
 * nothing: 14.7 s); the others are that model scaled by an assumed desktop processor.
 */
export interface Pace {
  prefill: { fixedMs: number; perTokenMs: number; perTokenAndDepthMs: number };
  decode: { perTokenMs: number; perTokenAndDepthMs: number };
}

export interface SimulatedModel extends ModelSpec {
  /** Of the manifest, as `/api/tags` shows it. */
  digest: string;
  /** Of the weights, as the runner's command line shows it. */
  blobDigest: string;
  tensors: Tensor[];
  weightsBytes: number;
  fileBytes: number;
  parameterCount: number;
}

/** Names, scores and merges of the vocabulary in the file, by the recorded files. */
const FILE_BYTES_PER_VOCABULARY_ENTRY = 25;

export function buildModel(spec: ModelSpec): SimulatedModel {
  const tensors = modelTensors(spec);
  const weightsBytes = sum(tensors.map(tensorBytes));
  return {
    ...spec,
    digest: digestOf(`manifest of ${spec.name}`),
    blobDigest: digestOf(`weights of ${spec.name}`),
    tensors,
    weightsBytes,
    fileBytes: weightsBytes + spec.vocabulary * FILE_BYTES_PER_VOCABULARY_ENTRY,
    parameterCount: sum(tensors.map(elementCount)),
  };
}

export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
