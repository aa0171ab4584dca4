/** The models a simulated Ollama has, by name, and what it says about them. */
import { digestOf, type SimulatedModel } from "../engine/models.ts";
import { goTime } from "./goJson.ts";

export interface InstalledModel {
  name: string;
  model: SimulatedModel;
  modifiedAt: number;
  parentModel: string;
}

export interface Library {
  /** By any spelling: case does not matter and `:latest` may be left out. */
  find(requested: string): InstalledModel | undefined;
  add(name: string, model: SimulatedModel, parentModel?: string): void;
  remove(requested: string): boolean;
  /** Newest first. */
  list(): InstalledModel[];
}

export function createLibrary(models: readonly SimulatedModel[], now: () => number): Library {
  const installed = new Map<string, InstalledModel>();
  const add: Library["add"] = (name, model, parentModel = "") => {
    const full = fullName(name);
    installed.delete(full.toLowerCase());
    installed.set(full.toLowerCase(), { name: full, model, modifiedAt: now(), parentModel });
  };
  for (const model of models.toReversed()) add(model.name, model);
  return {
    find: (requested) => installed.get(fullName(requested).toLowerCase()),
    add,
    remove: (requested) => installed.delete(fullName(requested).toLowerCase()),
    list: () => [...installed.values()].toReversed(),
  };
}

export function fullName(name: string): string {
  return name.includes(":") ? name : `${name}:latest`;
}

/** Two names are two manifests, even over the same weights. */
export function manifestDigest(installed: InstalledModel): string {
  return installed.name === installed.model.name
    ? installed.model.digest
    : digestOf(`manifest of ${installed.name}`);
}

export function modelDetails(installed: InstalledModel): Record<string, unknown> {
  const { model } = installed;
  return {
    parent_model: installed.parentModel,
    format: "gguf",
    family: model.architecture,
    families: [model.architecture],
    parameter_size: shortCount(model.parameterCount),
    quantization_level: model.quantization,
  };
}

export function tagsEntry(installed: InstalledModel): Record<string, unknown> {
  const { model } = installed;
  return {
    name: installed.name,
    model: installed.name,
    modified_at: goTime(installed.modifiedAt),
    size: model.fileBytes,
    digest: manifestDigest(installed),
    details: {
      ...modelDetails(installed),
      context_length: model.trainedContext,
      embedding_length: model.embedding,
    },
    capabilities: model.capabilities,
  };
}

/** 268098176 is 268.10M and 8030261312 is 8.0B. */
function shortCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}B`;
  return count >= 1e6 ? `${(count / 1e6).toFixed(2)}M` : `${Math.round(count / 1e3)}K`;
}
