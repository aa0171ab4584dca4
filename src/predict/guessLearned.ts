/** All that is learned from a user's own traffic, in memory, and its JSON. */
import {
  createLearnedModel,
  saveLearnedModel,
  type LearnedModel,
  type SavedLearnedModel,
} from "./guessModel.ts";
import { savedObject } from "./guessSaved.ts";
import { createSpeedMemory, type SavedSpeed, type SpeedMemory } from "./speedMemory.ts";

export interface Learned {
  speed: SpeedMemory;
  /** What is known of a model. Nothing must be learned into what this returns. */
  model(name: string): LearnedModel;
  /** The same to learn into. The model unused longest gives way when there are too many. */
  keepModel(name: string): LearnedModel;
  /** Forgets one model, or all. */
  reset(model?: string): void;
  save(): SavedLearned;
}

export interface SavedLearned {
  version: 1;
  /** Pairs of a model and what was learned of it. */
  models: [string, SavedLearnedModel][];
  speeds: SavedSpeed[];
}

const MOST_MODELS = 32;

/**
 * `saved`: what `save` gave, parsed; anything else is a fresh start. `decodeFactor`: how this machine differs from the
 * speed formula, for models that have not answered yet.
 */
export function createLearned(
  parts: { saved?: unknown; decodeFactor?: (model: string) => number } = {},
): Learned {
  const record = savedObject(parts.saved);
  const sound = record?.["version"] === 1 ? record : undefined;
  const models = new Map<string, LearnedModel>();
  for (const [name, saved] of savedPairs(sound?.["models"])) {
    models.set(name, createLearnedModel(saved));
  }
  const nothing = createLearnedModel();
  const speed = createSpeedMemory({
    saved: sound?.["speeds"],
    factor: parts.decodeFactor ?? (() => 1),
  });

  return {
    speed,
    // Names come from clients: one that no model has must not push out what is known of the others.
    model: (name) => models.get(name) ?? nothing,
    keepModel(name) {
      const model = models.get(name) ?? createLearnedModel();
      models.delete(name);
      models.set(name, model);
      for (const oldest of models.keys()) {
        if (models.size <= MOST_MODELS) {
          break;
        }
        models.delete(oldest);
      }
      return model;
    },
    reset(model) {
      if (model === undefined) {
        models.clear();
      } else {
        models.delete(model);
      }
      speed.reset(model);
    },
    save: () => ({
      version: 1,
      models: [...models].map(([name, model]) => [name, saveLearnedModel(model)]),
      speeds: speed.save(),
    }),
  };
}

function savedPairs(saved: unknown): [string, unknown][] {
  const pairs = Array.isArray(saved) ? saved.slice(-MOST_MODELS) : [];
  return pairs.flatMap((pair: unknown): [string, unknown][] => {
    const [name, model]: unknown[] = Array.isArray(pair) ? pair : [];
    return typeof name === "string" ? [[name, model]] : [];
  });
}
