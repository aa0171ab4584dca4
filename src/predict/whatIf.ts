/** One model in many configurations: contexts, types of cache and of file. */
import { FUTURE_CACHE_TYPE } from "./cacheTypes.ts";
import type { MemoryEstimate, WhatIfCell } from "../types.ts";
import { estimateMemory } from "./estimate.ts";
import type { EstimateSettings } from "./estimateSettings.ts";
import { fileTypeNamed } from "./fileTypes.ts";
import { fitEstimate, type FitMachine } from "./fit.ts";
import type { ModelShape } from "./modelShape.ts";
import { withFileType } from "./quantize.ts";
import { withLayersThatFit } from "./layersThatFit.ts";
import { resolveSettings } from "./resolveSettings.ts";
import type { SettingsInput } from "./settingsSource.ts";

export interface WhatIfAxes {
  contexts: readonly number[];
  /** The same type for keys and values. */
  kvCacheTypes: readonly string[];
  /** File types; without any the file as it is. */
  quantizations?: readonly string[];
}

export interface WhatIfTable {
  cells: WhatIfCell[];
  /** Announced and not to be had: named so that nobody counts on it. */
  notYet: readonly { kvCacheType: string; bitsPerElement: number; note: string }[];
}

/** Speed of a configuration with its context full, as far as it is known. */
export type SpeedAtFullDepth = (
  shape: ModelShape,
  settings: EstimateSettings,
  estimate: MemoryEstimate,
) => WhatIfCell["decodeTokensPerSecond"];

const MOST_CELLS = 1000;

/**
 * Quantisation × cache type × context on a machine; everything else as in `input`. Throws `SettingsProblem` for a type
 * the server does not accept. At most 1000 cells are computed; the rest of the axes is left out.
 */
export function whatIfTable(
  input: SettingsInput,
  axes: WhatIfAxes,
  { machine, speed = () => undefined }: { machine: FitMachine; speed?: SpeedAtFullDepth },
): WhatIfTable {
  const cells: WhatIfCell[] = [];
  for (const { quantization, shape } of shapesOf(input.shape, axes.quantizations)) {
    for (const kvCacheType of axes.kvCacheTypes) {
      for (const contextLength of axes.contexts) {
        if (cells.length >= MOST_CELLS) continue;
        const at = { quantization, kvCacheType, contextLength };
        cells.push(cellOf({ ...input, shape }, at, { machine, speed }));
      }
    }
  }
  return {
    cells,
    notYet: [
      {
        kvCacheType: FUTURE_CACHE_TYPE.name,
        bitsPerElement: FUTURE_CACHE_TYPE.nominalBitsPerElement,
        note: FUTURE_CACHE_TYPE.note,
      },
    ],
  };
}

function shapesOf(
  shape: ModelShape,
  quantizations: readonly string[] | undefined,
): { quantization?: string; shape: ModelShape }[] {
  if (quantizations === undefined || quantizations.length === 0) return [{ shape }];
  return quantizations.map((name) => ({
    quantization: fileTypeNamed(name)?.name ?? name,
    shape: withFileType(shape, name),
  }));
}

function cellOf(
  input: SettingsInput,
  at: { quantization?: string; kvCacheType: string; contextLength: number },
  { machine, speed }: { machine: FitMachine; speed: SpeedAtFullDepth },
): WhatIfCell {
  const query = {
    ...input.query,
    contextLength: at.contextLength,
    totalContextLength: undefined,
    kvCacheTypeK: at.kvCacheType,
    kvCacheTypeV: at.kvCacheType,
  };
  const settings = resolveSettings(withLayersThatFit({ ...input, query }));
  const estimate = estimateMemory(input.shape, settings);
  return {
    ...at,
    contextLength: settings.contextLength,
    totalBytes: estimate.totalBytes,
    kvCacheBytes: estimate.kvCacheBytes.hostBytes + estimate.kvCacheBytes.deviceBytes,
    fit: fitEstimate(estimate, machine),
    decodeTokensPerSecond: speed(input.shape, settings, estimate),
    loss: at.quantization === undefined ? undefined : fileTypeNamed(at.quantization)?.loss,
  };
}
