/** What another setting of a model would cost or save on this machine, from what is known of it now: nobody is asked. */
import { estimateMemory } from "../predict/estimate.ts";
import { fitEstimate, type FitMachine } from "../predict/fit.ts";
import type { RemedyFigures } from "../predict/remedies.ts";
import { resolveSettings } from "../predict/resolveSettings.ts";
import { freedBytes } from "../predict/runnerBytes.ts";
import type { SettingsInput, SettingsQuery } from "../predict/settingsSource.ts";
import type { LoadedModel, MemoryEstimate } from "../types.ts";
import { runnerFor } from "./ask.ts";
import type { KnownModel } from "./modelKnowledge.ts";

export interface Change extends RemedyFigures {
  /** More than now; negative saves. */
  costBytes: number;
  /** What would be settled on, which may not be what was asked for: a context is clipped to the trained one. */
  contextLength: number;
  /** What this model has now, or would get when loaded now. */
  now: { contextLength: number; parallel: number; kvCacheType: string };
}

export type ChangeOf = (
  model: string,
  query: Pick<SettingsQuery, "contextLength" | "parallel" | "kvCacheTypeK" | "kvCacheTypeV">,
) => Change | undefined;

/** Undefined while the model is not known, and for what it would refuse to load with. */
export function createChanges(parts: {
  known(model: string): KnownModel | undefined;
  settings(): Omit<SettingsInput, "shape">;
  memory(): FitMachine;
  loaded(model: string): LoadedModel | undefined;
}): ChangeOf {
  return (model, query) => {
    const known = parts.known(model);
    if (known === undefined) {
      return undefined;
    }
    const loaded = parts.loaded(model);
    const machine = parts.settings();
    const input: SettingsInput = {
      ...machine,
      environment: loaded?.settings?.environment ?? machine.environment,
      shape: known.shape,
      modelParameters: known.parameters,
      runner: loaded?.settings,
      ps: loaded === undefined ? undefined : { contextLength: loaded.contextLength },
    };
    try {
      const now = resolveSettings(input);
      const changed = resolveSettings({ ...input, query, runner: runnerFor(query, loaded?.settings) });
      const estimate = estimateMemory(known.shape, changed);
      if (estimate.assumptions.some(({ value }) => value.includes("fails to load"))) {
        return undefined;
      }
      const { verdict, shortBytes } = fitEstimate(estimate, {
        ...parts.memory(),
        freedBytes: freedBytes(loaded?.measured),
      });
      return {
        costBytes: sizeOf(estimate) - sizeOf(estimateMemory(known.shape, now)),
        verdict,
        ...(shortBytes !== undefined && { shortBytes }),
        contextLength: changed.contextLength,
        now: {
          contextLength: now.contextLength,
          parallel: now.parallel,
          kvCacheType: now.kvCacheTypeK,
        },
      };
    } catch {
      // Settings that the server would refuse, or a shape that cannot be.
      return undefined;
    }
  };
}

/** All that a change of settings changes: weights stay what they are. */
function sizeOf({
  kvCacheBytes,
  recurrentStateBytes,
  computeBytes,
  outputBytes = 0,
}: MemoryEstimate): number {
  return [kvCacheBytes, recurrentStateBytes, computeBytes].reduce(
    (sum, { hostBytes, deviceBytes }) => sum + hostBytes + deviceBytes,
    outputBytes,
  );
}
