/** A storage format of ggml: weights come in blocks of a fixed number of elements and bytes. */
export interface GgmlType {
  /** As `/api/show` and GGUF tools spell it, e.g. `Q4_K`. */
  name: string;
  /** Number in a GGUF header. */
  id: number;
  blockElements: number;
  blockBytes: number;
}

/** Name, id, elements and bytes of a block: ggml's enum and the sizes of its block structures. */
const ROWS: readonly (readonly [string, number, number, number])[] = [
  ["F32", 0, 1, 4],
  ["F16", 1, 1, 2],
  ["Q4_0", 2, 32, 18],
  ["Q4_1", 3, 32, 20],
  ["Q5_0", 6, 32, 22],
  ["Q5_1", 7, 32, 24],
  ["Q8_0", 8, 32, 34],
  ["Q8_1", 9, 32, 36],
  ["Q2_K", 10, 256, 84],
  ["Q3_K", 11, 256, 110],
  ["Q4_K", 12, 256, 144],
  ["Q5_K", 13, 256, 176],
  ["Q6_K", 14, 256, 210],
  ["Q8_K", 15, 256, 292],
  ["IQ2_XXS", 16, 256, 66],
  ["IQ2_XS", 17, 256, 74],
  ["IQ3_XXS", 18, 256, 98],
  ["IQ1_S", 19, 256, 50],
  ["IQ4_NL", 20, 32, 18],
  ["IQ3_S", 21, 256, 110],
  ["IQ2_S", 22, 256, 82],
  ["IQ4_XS", 23, 256, 136],
  ["I8", 24, 1, 1],
  ["I16", 25, 1, 2],
  ["I32", 26, 1, 4],
  ["I64", 27, 1, 8],
  ["F64", 28, 1, 8],
  ["IQ1_M", 29, 256, 56],
  ["BF16", 30, 1, 2],
  ["TQ1_0", 34, 256, 54],
  ["TQ2_0", 35, 256, 66],
  ["MXFP4", 39, 32, 17],
  ["NVFP4", 40, 64, 36],
  ["Q1_0", 41, 128, 18],
  ["Q2_0", 42, 64, 18],
];

const BY_NAME = new Map<string, GgmlType>();
const BY_ID = new Map<number, GgmlType>();
for (const [name, id, blockElements, blockBytes] of ROWS) {
  const type = { name, id, blockElements, blockBytes };
  BY_NAME.set(name, type);
  BY_ID.set(id, type);
}

/** Finds a type by its name in any case: `Q8_0` of a tensor list and `q8_0` of a cache are the same. */
export function ggmlTypeNamed(name: string): GgmlType | undefined {
  return BY_NAME.get(name.toUpperCase());
}

/** Of a GGUF header; undefined for a type newer than this table, whose weights cannot be added up then. */
export function ggmlTypeWithId(id: number): GgmlType | undefined {
  return BY_ID.get(id);
}

/** Bytes of one row. A row that does not fill its last block still takes all of it. */
export function rowBytes(type: GgmlType, elements: number): number {
  return Math.ceil(elements / type.blockElements) * type.blockBytes;
}
