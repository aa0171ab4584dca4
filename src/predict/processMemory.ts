import { cacheCells } from "./cells.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";

const MEBIBYTE = 1024 * 1024;

/**
 * The runner's own memory. Measured right after the load on 41 loads of two models with 262,144 tokens and one with
 * 353: the program's pages, a base, and tables that follow the vocabulary.
 */
const OWN = {
  "llama-server": { fileBytes: 14 * MEBIBYTE, baseBytes: 4 * MEBIBYTE, bytesPerToken: 192 },
  llama: { fileBytes: 27 * MEBIBYTE, baseBytes: 9 * MEBIBYTE, bytesPerToken: 158 },
  ollama: { fileBytes: 27 * MEBIBYTE, baseBytes: 9 * MEBIBYTE, bytesPerToken: 156 },
} as const;

/** Bytes of the process itself: pages of the program, and heap that is neither weights nor caches. */
export function processBytes(shape: ModelShape, settings: EstimateSettings): number {
  const own = OWN[settings.engine];
  const heapBytes = own.baseBytes + own.bytesPerToken * (shape.vocabularySize ?? 0);
  return own.fileBytes + heapBytes + maskGarbageBytes(shape, settings, heapBytes);
}

/**
 * Ollama's own engine builds its largest mask twice on Go's heap when it measures the graph, and the pages stay
 * resident; small ones fit into what reading the vocabulary left behind.
 */
function maskGarbageBytes(shape: ModelShape, settings: EstimateSettings, heapBytes: number): number {
  if (settings.engine !== "ollama") return 0;
  const cells = cacheCells(shape, settings);
  const bytes = 2 * 4 * settings.ubatch * (cells.full + (shape.window === undefined ? 0 : cells.sliding));
  return bytes > heapBytes ? bytes : 0;
}

/** Logits of every slot, on the host; the older llama.cpp keeps a row of embeddings beside each. */
export function outputBytes(shape: ModelShape, settings: EstimateSettings): number | undefined {
  if (shape.encoder) return 4 * (shape.embeddingLength ?? 0) * settings.parallel;
  if (shape.vocabularySize === undefined) return undefined;
  const row = shape.vocabularySize + (settings.engine === "llama" ? (shape.embeddingLength ?? 0) : 0);
  return settings.engine === "ollama" ? 0 : 4 * row * settings.parallel;
}
