/** Contexts that were given instead of larger ones, kept until the model unloads: a cap must not cause reloads. Pure. */
import type { LoadedModel } from "../../types.ts";

export interface Caps {
  /** The context that this model's requests are held to. */
  of(key: string): number | undefined;
  set(key: string, contextLength: number, at: number): void;
  /** Called with what is loaded; a cap goes with its runner. */
  modelsSeen(models: readonly LoadedModel[], at: number): void;
}

/** A capped load that is not there after so long did not come about. */
const LONGEST_LOAD_MS = 10 * 60_000;

/** `key` is a canonical name: two names of one model share its runner. */
export function createCaps(canonicalName: (name: string) => string): Caps {
  const caps = new Map<string, { contextLength: number; at: number; loaded: boolean }>();
  return {
    of: (key) => caps.get(key)?.contextLength,
    set(key, contextLength, at) {
      caps.set(key, { contextLength, at, loaded: false });
    },
    modelsSeen(models, at) {
      for (const [key, cap] of caps) {
        const model = models.find(({ name }) => canonicalName(name) === key);
        if (model !== undefined && model.contextLength === cap.contextLength) {
          cap.loaded = true;
        } else if (cap.loaded || at - cap.at > LONGEST_LOAD_MS) {
          caps.delete(key);
        }
      }
    },
  };
}
