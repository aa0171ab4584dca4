import type { ModelShape, TensorShape } from "./modelShape.ts";
import { layerOfTensor } from "./shapeTensors.ts";
import { tensorBytes } from "./shapeWeights.ts";

/** What a CPU multiplies matrices with: `amx` is x86 with tile instructions and a runner built for them. */
export type CpuKind = "x86" | "arm" | "amx";

/** Types whose matrices llama.cpp rewrites at load (`ggml-cpu/repack.cpp`, `ggml-cpu/amx`). */
const REWRITTEN: Readonly<Record<CpuKind, ReadonlySet<string>>> = {
  x86: new Set(["Q4_0", "Q4_K", "IQ4_NL", "MXFP4"]),
  arm: new Set(["Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"]),
  amx: new Set(["Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "F16", "IQ4_NL", "MXFP4"]),
};

/** Share by which a matrix grows when it is rewritten for tiles: sums and scales beside each block. */
const TILE_GROWTH: ReadonlyMap<string, number> = new Map([
  ["Q8_0", 4 / 34],
  ["Q4_K", 4 / 144],
  ["Q5_K", 4 / 176],
  ["IQ4_XS", 2 / 136],
]);

const TOKEN_EMBEDDING = "token_embd.weight";

/**
 * What rewriting adds to the weights in host memory: most matrices only change places, but a tied embedding is kept as
 * it was for the lookup besides, and for tiles some types grow.
 */
export function repackedBytes(shape: ModelShape, cpu: CpuKind): number {
  const { weights, tensors = [] } = shape;
  if (weights === undefined) return 0;
  const embedding = tensors.find(({ name }) => name === TOKEN_EMBEDDING);
  const copied =
    weights.tied && !shape.encoder && embedding !== undefined && REWRITTEN[cpu].has(embedding.type);
  const copyBytes = copied ? rewrittenBytes(embedding, cpu) : 0;
  return cpu === "amx" ? copyBytes + tileGrowthBytes(tensors) : copyBytes;
}

/**
 * Whether a runner on a CPU rewrote its weights for tiles, from `size_vram` of `/api/ps`: Ollama takes that buffer for a
 * graphics card's. Nothing else tells before the memory is measured.
 */
export function rewroteForTiles(shape: ModelShape, claimedDeviceBytes: number): boolean {
  const { weights, tensors = [] } = shape;
  if (weights === undefined || claimedDeviceBytes === 0) return false;
  const rewritten = tensors
    .filter((tensor) => isMatrix(tensor) || (weights.tied && tensor.name === TOKEN_EMBEDDING))
    .filter(({ type }) => REWRITTEN.amx.has(type))
    .reduce((sum, tensor) => sum + rewrittenBytes(tensor, "amx"), 0);
  return rewritten > 0 && Math.abs(claimedDeviceBytes / rewritten - 1) < 0.02;
}

function tileGrowthBytes(tensors: readonly TensorShape[]): number {
  return tensors
    .filter(isMatrix)
    .reduce((sum, tensor) => sum + rewrittenBytes(tensor, "amx") - (tensorBytes(tensor) ?? 0), 0);
}

function rewrittenBytes(tensor: TensorShape, cpu: CpuKind): number {
  const growth = cpu === "amx" ? (TILE_GROWTH.get(tensor.type) ?? 0) : 0;
  return Math.round((tensorBytes(tensor) ?? 0) * (1 + growth));
}

/** Experts are chosen among, not multiplied whole, and stay as they are. */
function isMatrix({ name, dimensions }: TensorShape): boolean {
  return (layerOfTensor(name) !== undefined || name === "output.weight") && dimensions.length === 2;
}
