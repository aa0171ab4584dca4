import type { MemoryEstimate } from "../../../src/types.ts";
import { estimateMemory } from "../../../src/predict/estimate.ts";
import type { ModelShape } from "../../../src/predict/modelShape.ts";
import { resolveSettings } from "../../../src/predict/resolveSettings.ts";
import type { SettingsInput, SettingsQuery } from "../../../src/predict/settingsSource.ts";
import { shapeFromShow } from "../../../src/predict/shapeFromShow.ts";

export const MEBIBYTE = 1024 ** 2;

export function shapeOf(metadata: Record<string, unknown>, tensors?: unknown): ModelShape {
  return shapeFromShow({ model_info: metadata, tensors });
}

/** What a question to the API is answered from. */
export function estimateFor(
  shape: ModelShape,
  query: SettingsQuery,
  more: Partial<SettingsInput> = {},
): MemoryEstimate {
  return estimateMemory(shape, resolveSettings({ shape, query, ...more }));
}

/** All cells and states, in MiB. */
export function cacheMebibytes(estimate: MemoryEstimate): number {
  return estimate.caches.reduce((sum, { bytes }) => sum + bytes, 0) / MEBIBYTE;
}
