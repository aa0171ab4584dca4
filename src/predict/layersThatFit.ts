import { estimateMemory } from "./estimate.ts";
import { resolveSettings } from "./resolveSettings.ts";
import type { SettingsInput } from "./settingsSource.ts";

/** What llama-server leaves free on each device when it places layers (`common_params_fit_impl`). */
const KEPT_FREE_BYTES = 1024 * 1024 * 1024;

/**
 * The input with the number of layers that llama-server places on a CUDA device of which only `deviceFreeBytes` are
 * free: as many as leave 1 GiB. Unchanged where nobody knows what is free, somebody said a number, all layers fit, or an
 * older Ollama places them by rules of its own.
 */
export function withLayersThatFit(input: SettingsInput): SettingsInput {
  const free = input.deviceFreeBytes;
  const settings = resolveSettings(input);
  const said =
    input.query?.offloadedLayers ??
    input.runner?.offloadedLayers ??
    input.environment?.["LLAMA_ARG_N_GPU_LAYERS"];
  if (
    free === undefined ||
    said !== undefined ||
    settings.backend !== "cuda" ||
    settings.engine !== "llama-server"
  ) {
    return input;
  }
  const fits = (layersThatFit: number): boolean => {
    const estimate = estimateMemory(input.shape, resolveSettings({ ...input, layersThatFit }));
    const parts = [
      estimate.weightsBytes,
      estimate.kvCacheBytes,
      estimate.recurrentStateBytes,
      estimate.computeBytes,
    ];
    return parts.reduce((sum, part) => sum + (part?.deviceBytes ?? 0), 0) <= free - KEPT_FREE_BYTES;
  };
  const all = input.shape.layers.length + 1;
  if (fits(all)) return input;
  let [good, bad] = [0, all];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return { ...input, layersThatFit: good };
}
