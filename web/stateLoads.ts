import type { Load, LoadedModel } from "../src/types.ts";

/** Of loads, newest first. */
export const loadsKept = 200;

/** Loads, newest first, each once: what came last is what is known of it. */
export function newestLoads(loads: readonly Load[], added: readonly Load[]): Load[] {
  const ids = new Set(added.map((load) => load.id));
  return [...added, ...loads.filter((load) => !ids.has(load.id))]
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .slice(0, loadsKept);
}

/** The loaded models after news of a load. */
export function withLoad(models: readonly LoadedModel[], load: Load): LoadedModel[] {
  const isSame = (model: LoadedModel): boolean =>
    model.loadId === load.id || (model.loadId === undefined && model.name === load.model);
  if (load.unloadedAt !== undefined) return models.filter((model) => !isSame(model));
  const before = models.find(isSame);
  const { digest, contextLength, claimedBytes, claimedDeviceBytes, settings, measured, predicted } = load;
  const said = { digest, contextLength, claimedBytes, claimedDeviceBytes, settings, measured, predicted };
  const model: LoadedModel = {
    ...before,
    ...definedOnly(said),
    name: before?.name ?? load.model,
    loadId: load.id,
  };
  return before ? models.map((other) => (other === before ? model : other)) : [...models, model];
}

function definedOnly<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}
