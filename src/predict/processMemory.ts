/** What a runner takes beside weights, caches and compute buffers. */
import { cacheCells } from "./cells.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";

const MEBIBYTE = 1024 * 1024;

/**
 * The runner's own memory: the program's pages, a base, and tables that follow the vocabulary and, in a byte-pair
 * tokenizer, its merges. Measured right after 51 loads with 262,144 tokens and of tokenizers from 353 to 201,088 tokens
 * with up to 446,189 merges. Merges are lost in what Go's garbage collector leaves in Ollama's own engine.
 */
const OWN = {
  "llama-server": {
    fileBytes: 14 * MEBIBYTE,
    baseBytes: 4 * MEBIBYTE,
    bytesPerToken: 192,
    bytesPerMerge: 135,
  },
  llama: { fileBytes: 27 * MEBIBYTE, baseBytes: 9 * MEBIBYTE, bytesPerToken: 158, bytesPerMerge: 120 },
  ollama: { fileBytes: 27 * MEBIBYTE, baseBytes: 9 * MEBIBYTE, bytesPerToken: 156, bytesPerMerge: 0 },
} as const;

/**
 * What CUDA takes of the host in a process that uses a device: its libraries' pages (147 MiB), its context (158) and
 * memory pinned for copies (12). The same within 4 MiB in ten loads of four models with CUDA 13 on one machine; other
 * drivers differ.
 */
const CUDA_HOST_BYTES = (147 + 158 + 12) * MEBIBYTE;

/** Bytes of the process itself: pages of the program, and heap that is neither weights nor caches. */
export function processBytes(shape: ModelShape, settings: EstimateSettings): number {
  return ownBytes(shape, settings) + (usesCuda(settings) ? CUDA_HOST_BYTES : 0);
}

/** A runner that has at least one layer on an NVIDIA device. */
export function usesCuda({ backend, offloadedLayers }: EstimateSettings): boolean {
  return backend === "cuda" && offloadedLayers > 0;
}

function ownBytes(shape: ModelShape, settings: EstimateSettings): number {
  const own = OWN[settings.engine];
  const tables =
    own.bytesPerToken * (shape.vocabularySize ?? 0) + own.bytesPerMerge * (shape.mergeCount ?? 0);
  const heapBytes = own.baseBytes + tables;
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
