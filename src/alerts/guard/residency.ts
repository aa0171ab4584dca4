/** How many models Ollama keeps at once, which decides what a further one makes it unload. Pure. */

interface Listed {
  name: string;
  expiresAt?: number | undefined;
}

export interface Residency {
  /** Called with each list of loaded models. */
  seen(models: readonly Listed[], at: number): void;
  /** A request asked to unload it: that it goes says nothing. */
  unloadAsked(model: string): void;
  /** The most at once, as far as was seen. */
  limit(): number | undefined;
}

/** A model that goes this long before its time was sent away. */
const EARLY_MS = 5000;
/** The next one appears in the list once it has loaded. */
const LONGEST_LOAD_MS = 5 * 60_000;

/** A model that goes before its time, and then another comes: it had to make room. */
export function createResidency(canonicalName: (name: string) => string): Residency {
  let before = new Map<string, Listed>();
  let sentAway: { count: number; at: number; names: Set<string> } | undefined;
  let limit: number | undefined;
  const asked = new Set<string>();

  return {
    seen(models, at) {
      const now = new Map(models.map((model) => [canonicalName(model.name), model]));
      const gone = [...before].filter(
        ([name, { expiresAt = Number.POSITIVE_INFINITY }]) =>
          !now.has(name) && !asked.has(name) && expiresAt > at + EARLY_MS,
      );
      if (gone.length > 0) {
        sentAway = { count: before.size, at, names: new Set(gone.map(([name]) => name)) };
      }
      const came = [...now.keys()].some((name) => !before.has(name) && sentAway?.names.has(name) !== true);
      if (came && sentAway !== undefined && at - sentAway.at <= LONGEST_LOAD_MS) {
        limit = sentAway.count;
        sentAway = undefined;
      }
      if (limit !== undefined && now.size > limit) {
        limit = undefined;
      }
      for (const name of now.keys()) {
        asked.delete(name);
      }
      before = now;
    },
    unloadAsked: (model) => {
      asked.add(canonicalName(model));
    },
    limit: () => limit,
  };
}
