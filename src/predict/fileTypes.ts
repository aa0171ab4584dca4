import type { QuantizationLoss } from "../types.ts";

/**
 * File types: the mixes of tensor types that `llama-quantize` makes, with what each measured on one model. Sizes are of
 * Llama 3.1 8B; the loss is the rise of perplexity of LLaMA 3 8B on wikitext-2 over f16 (6.233), from llama.cpp's own
 * tables. Another model loses otherwise: LLaMA 2 7B 1.4 % at Q4_K_M and 10.8 % at Q2_K.
 */
export interface FileType {
  name: string;
  /** Type of most tensors. */
  base: string;
  bitsPerWeight: number;
  loss?: QuantizationLoss;
}

const MODEL = "LLaMA 3 8B, wikitext-2";
const SOURCE = "llama.cpp tools/perplexity/README.md";

/** Name, base type, bits per weight, loss in percent, measured with an importance matrix. */
const ROWS: readonly (readonly [string, string, number, number?, boolean?])[] = [
  ["F32", "F32", 32],
  ["F16", "F16", 16.0005, 0.02],
  ["BF16", "BF16", 16.0005],
  ["Q8_0", "Q8_0", 8.5008, 0.04],
  ["Q6_K", "Q6_K", 6.5633, 0.35],
  ["Q5_K_M", "Q5_K", 5.7036, 0.9],
  ["Q5_K_S", "Q5_K", 5.5704, 1.7],
  ["Q4_K_M", "Q4_K", 4.8944, 2.8],
  ["Q4_K_S", "Q4_K", 4.6672, 4.3],
  ["IQ4_NL", "IQ4_NL", 4.6818, 3.6, true],
  ["IQ4_XS", "IQ4_XS", 4.4597, 3.7, true],
  ["Q4_1", "Q4_1", 5.103, 7.2],
  ["Q4_0", "Q4_0", 4.6358, 7.5],
  ["Q3_K_L", "Q3_K", 4.2979, 8.9],
  ["Q3_K_M", "Q3_K", 3.996, 10.5],
  ["Q3_K_S", "Q3_K", 3.6429, 26],
  ["Q2_K", "Q2_K", 3.1593, 56],
  ["MXFP4_MOE", "Q8_0", 4.25],
];

export const FILE_TYPES: readonly FileType[] = ROWS.map(([name, base, bitsPerWeight, percent, imatrix]) => ({
  name,
  base,
  bitsPerWeight,
  loss:
    percent === undefined
      ? undefined
      : { perplexityRatio: percent / 100, imatrix: imatrix ?? false, model: MODEL, source: SOURCE },
}));

/** In any case, e.g. `q4_k_m`; undefined for what llama.cpp's table does not list. */
export function fileTypeNamed(name: string): FileType | undefined {
  const wanted = name.trim().toUpperCase();
  return FILE_TYPES.find((type) => type.name === wanted);
}
