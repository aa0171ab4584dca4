import type { MemoryEstimate } from "../types.ts";
import { computeEstimate } from "./computeEstimate.ts";
import type { Assumption, EstimateSettings } from "./estimateSettings.ts";
import { cacheEstimate } from "./kvCache.ts";
import type { ModelShape } from "./modelShape.ts";
import { outputBytes, processBytes, usesCuda } from "./processMemory.ts";
import { addSplits, splitTotal } from "./split.ts";
import { sumWeightParts, weightParts } from "./weights.ts";

/**
 * What a model takes in memory with these settings. Parts that need the tensor list or the vocabulary are absent without
 * them, and then so are the sums. `fit` stays unknown here: it is a question about a machine.
 */
export function estimateMemory(shape: ModelShape, settings: EstimateSettings): MemoryEstimate {
  const own = estimateOne(shape, settings);
  if (settings.draft === undefined) return own;
  const draft = estimateOne(settings.draft, draftSettings(settings, settings.draft));
  return withDraft(own, draft, usesCuda(settings));
}

function estimateOne(shape: ModelShape, settings: EstimateSettings): MemoryEstimate {
  const parts = weightParts(shape, settings);
  const estimate: MemoryEstimate = {
    weightsBytes: parts === undefined ? undefined : sumWeightParts(parts),
    ...cacheEstimate(shape, settings),
    computeBytes: computeEstimate(shape, settings),
    outputBytes: outputBytes(shape, settings),
    processBytes: shape.vocabularySize === undefined ? undefined : processBytes(shape, settings),
    promptCacheLimitBytes: settings.promptCacheLimitBytes,
    fit: { verdict: "unknown" },
    assumptions: [...settings.assumptions, ...shape.remarks.map(asAssumption)],
  };
  return { ...estimate, ...sums(estimate, usesCuda(settings)) };
}

/** All that is allocated, and what of it is resident on the host right after the load. */
function sums(
  estimate: MemoryEstimate,
  pinned: boolean,
): Pick<MemoryEstimate, "totalBytes" | "residentHostBytes"> {
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes } = estimate;
  if (weightsBytes === undefined) return {};
  const rest = (estimate.outputBytes ?? 0) + (estimate.processBytes ?? 0);
  const host = weightsBytes.hostBytes + kvCacheBytes.hostBytes + recurrentStateBytes.hostBytes + rest;
  const onDevice = weightsBytes.deviceBytes + kvCacheBytes.deviceBytes + recurrentStateBytes.deviceBytes;
  return {
    // Compute buffers are allocated, but their pages are touched by the first large prompt only. Beside a CUDA device
    // they are pinned, and so resident at once.
    residentHostBytes: host + (pinned ? computeBytes.hostBytes : 0),
    totalBytes: host + onDevice + splitTotal(computeBytes),
  };
}

/** A draft model runs beside the target with the same slots and a graph of its own. */
function draftSettings(settings: EstimateSettings, draft: ModelShape): EstimateSettings {
  return {
    ...settings,
    offloadedLayers: settings.offloadedLayers > 0 ? draft.layers.length + 1 : 0,
    rollbackStates: 0,
    draft: undefined,
    assumptions: [],
  };
}

function withDraft(own: MemoryEstimate, draft: MemoryEstimate, pinned: boolean): MemoryEstimate {
  const { weightsBytes } = own;
  const estimate: MemoryEstimate = {
    ...own,
    weightsBytes:
      weightsBytes === undefined || draft.weightsBytes === undefined
        ? undefined
        : addSplits(weightsBytes, draft.weightsBytes),
    kvCacheBytes: addSplits(own.kvCacheBytes, draft.kvCacheBytes),
    recurrentStateBytes: addSplits(own.recurrentStateBytes, draft.recurrentStateBytes),
    computeBytes: addSplits(own.computeBytes, draft.computeBytes),
    kvBytesPerToken: own.kvBytesPerToken + draft.kvBytesPerToken,
    caches: [...own.caches, ...draft.caches],
    outputBytes: own.outputBytes === undefined ? undefined : own.outputBytes + (draft.outputBytes ?? 0),
    totalBytes: undefined,
    residentHostBytes: undefined,
  };
  return { ...estimate, ...sums(estimate, pinned) };
}

function asAssumption(remark: string): Assumption {
  return { name: "model", value: remark, provenance: "assumed" };
}
