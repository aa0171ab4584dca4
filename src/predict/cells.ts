import type { EstimateSettings } from "./estimateSettings.ts";
import type { ModelShape } from "./modelShape.ts";

/** Sizes of the caches, in cells of one stream. */
export interface CacheCells {
  streams: number;
  full: number;
  sliding: number;
}

/** Caches are allocated in steps of so many cells. */
const PADDING = 256;
/** gpt-oss and Gemma 4 keep more than their window in Ollama's own engine, to be able to go back. */
const LONGER_MEMORY: ReadonlySet<string> = new Set(["gpt-oss", "gemma4"]);
const LONGER_MEMORY_CELLS = 4096;

type CellSettings = Pick<
  EstimateSettings,
  "engine" | "totalContextLength" | "parallel" | "unifiedKv" | "ubatch" | "fullSlidingWindow"
>;

/**
 * llama.cpp: a unified cache is one stream of the padded context; else each slot has its own padded share. Sliding
 * layers keep min(cells, window·(slots in the stream) + ubatch), padded.
 */
export function cacheCells(
  shape: Pick<ModelShape, "window" | "architecture">,
  settings: CellSettings,
): CacheCells {
  if (settings.engine === "ollama") return ollamaEngineCells(shape, settings);
  const { parallel, unifiedKv, ubatch } = settings;
  const total = padded(settings.totalContextLength);
  const full = unifiedKv ? total : padded(Math.floor(total / parallel));
  const window = (shape.window ?? 0) * (unifiedKv ? parallel : 1);
  return {
    streams: unifiedKv ? 1 : parallel,
    full,
    sliding: settings.fullSlidingWindow ? full : padded(Math.min(full, window + ubatch)),
  };
}

/**
 * Ollama's own engine (to v0.29) has one cache for all slots. Sliding layers keep window·slots + batch, one token more
 * a slot when there are several; a window no shorter than the context keeps the whole context.
 */
function ollamaEngineCells(
  shape: Pick<ModelShape, "window" | "architecture">,
  settings: CellSettings,
): CacheCells {
  const { parallel, totalContextLength, ubatch } = settings;
  const window = shape.window ?? 0;
  const kept = LONGER_MEMORY.has(shape.architecture) ? LONGER_MEMORY_CELLS : window;
  const memory = parallel > 1 ? Math.max(kept, window + 1) : kept;
  const full = padded(totalContextLength);
  // Llama 4's chunks are masked, not forgotten.
  const wholeContext = memory * parallel >= totalContextLength || shape.architecture === "llama4";
  return { streams: 1, full, sliding: wholeContext ? full : padded(memory * parallel + ubatch) };
}

function padded(cells: number): number {
  return Math.ceil(cells / PADDING) * PADDING;
}
