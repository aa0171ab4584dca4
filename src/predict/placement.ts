import type { EstimateSettings } from "./estimateSettings.ts";

/** Which layers are on the device. */
export interface Placement {
  onDevice(layer: number): boolean;
  outputOnDevice: boolean;
  layersOnDevice: number;
}

/**
 * llama.cpp fills the device from the last layer backwards. Since the end of 2025 the output counts as the very last
 * one, so it goes first; before, it went only when everything else had gone.
 */
export function placeLayers(
  layerCount: number,
  settings: Pick<EstimateSettings, "backend" | "engine" | "offloadedLayers">,
): Placement {
  const asked = settings.backend === "cpu" ? 0 : settings.offloadedLayers;
  const outputFirst = settings.engine === "llama-server";
  const outputOnDevice = outputFirst ? asked > 0 : asked > layerCount;
  const repeating = Math.min(layerCount, Math.max(0, outputFirst ? asked - 1 : asked));
  return {
    onDevice: (layer) => layer >= layerCount - repeating,
    outputOnDevice,
    layersOnDevice: repeating,
  };
}
