/** Puts an estimate on each load while it loads, and scores it once the runner's memory has settled. */
import { scoredOfLoad, type Accuracy } from "../predict/accuracy.ts";
import type { Calibration } from "../predict/calibration.ts";
import { estimateMemory } from "../predict/estimate.ts";
import { resolveSettings } from "../predict/resolveSettings.ts";
import { takenBytes } from "../predict/runnerBytes.ts";
import type { SettingsInput, SettingsQuery } from "../predict/settingsSource.ts";
import type { Load, MemoryEstimate, RunnerSample } from "../types.ts";
import type { KnownModel } from "./modelKnowledge.ts";

export interface LoadPredictions {
  /** Adds the estimate if there is none yet and nothing has been measured; scores the load when it is measured. */
  update(load: Load): void;
  estimateOf(loadId: string): MemoryEstimate | undefined;
  /** The type of its KV cache, wherever that was set. */
  cacheTypeOf(loadId: string): string | undefined;
}

interface Made {
  estimate: MemoryEstimate;
  cacheType: string;
  environment: Record<string, string> | undefined;
}

/** Loads whose estimates are remembered beside their rows. */
const MOST_LOADS = 200;

export function createLoadPredictions(parts: {
  known(model: string): KnownModel | undefined;
  /** The context that the request asked for which caused the load. */
  requestedContext(load: Load): number | undefined;
  machine(): Omit<SettingsInput, "shape">;
  calibration: Calibration;
  accuracy: Accuracy;
  now: () => number;
  onLearned(): void;
}): LoadPredictions {
  const made = new Map<string, Made>();
  const scored = new Set<string>();

  const estimate = (load: Load, model: KnownModel): Made | undefined => {
    const machine = parts.machine();
    try {
      const settings = resolveSettings({
        ...machine,
        shape: model.shape,
        modelParameters: model.parameters,
        runner: load.settings,
        environment: load.settings?.environment ?? machine.environment,
        ps: { contextLength: load.contextLength },
        query: requestedQuery(load),
      });
      return {
        estimate: estimateMemory(model.shape, settings),
        cacheType: settings.kvCacheTypeK,
        environment: load.settings?.environment,
      };
    } catch {
      // Settings that the server would refuse, or a shape that cannot be: there is nothing to predict then.
      return undefined;
    }
  };

  /** Runners of v0.12 to v0.24 do not say in their arguments what context they were started with. */
  const requestedQuery = (load: Load): SettingsQuery | undefined => {
    const contextLength = load.contextLength === undefined ? parts.requestedContext(load) : undefined;
    return contextLength === undefined ? undefined : { contextLength };
  };

  const score = (load: Load, predicted: MemoryEstimate, measured: RunnerSample): void => {
    const actualBytes = takenBytes(measured);
    if (predicted.residentHostBytes === undefined || actualBytes <= 0) {
      return;
    }
    const raw = predicted.residentHostBytes;
    parts.accuracy.add(
      scoredOfLoad({
        model: load.model,
        at: parts.now(),
        parts: [{ kind: "totalBytes", predictedBytes: raw, actualBytes }],
      }),
    );
    parts.calibration.learn({ model: load.model, part: "residentHostBytes", raw, actual: actualBytes });
    parts.onLearned();
  };

  return {
    update(load) {
      const model = parts.known(load.model);
      const earlier = made.get(load.id);
      // The environment is read a moment after the runner was found: what was said without it is said anew.
      const learnedMore =
        earlier !== undefined &&
        earlier.environment === undefined &&
        load.settings?.environment !== undefined;
      const due = load.predicted === undefined || learnedMore;
      const now =
        due && load.measured === undefined && model !== undefined ? estimate(load, model) : undefined;
      if (now !== undefined) {
        load.predicted = now.estimate;
        made.set(load.id, now);
        if (made.size > MOST_LOADS) {
          made.delete(made.keys().next().value ?? "");
        }
      }
      if (load.predicted !== undefined && load.measured !== undefined && !scored.has(load.id)) {
        scored.add(load.id);
        score(load, load.predicted, load.measured);
      }
    },
    estimateOf: (loadId) => made.get(loadId)?.estimate,
    cacheTypeOf: (loadId) => made.get(loadId)?.cacheType,
  };
}

const NOTEWORTHY_RATIO = 0.05;

/** Why Ollama's figure is not what was measured. The measurement is right; the claim is added up from a log. */
export function claimRemark(load: Load): string | undefined {
  if (load.measured === undefined || load.claimedBytes === undefined) {
    return undefined;
  }
  const measured = takenBytes(load.measured) + (load.claimedDeviceBytes ?? 0);
  const difference = (load.claimedBytes - measured) / measured;
  if (Math.abs(difference) < NOTEWORTHY_RATIO) {
    return undefined;
  }
  const slides = load.predicted?.caches.some((cache) => cache.kind === "sliding") === true;
  if (difference < 0) {
    return slides
      ? "Ollama counts one of the two KV caches of a sliding-window model, and neither vocabulary tables nor the process itself."
      : "Ollama counts neither vocabulary tables nor the process itself, nor prompts kept in memory.";
  }
  return "Ollama counts compute buffers whose pages no prompt has touched yet.";
}
