/** Where an alert goes: the record, the page, the channels; each change of it as often as that outlet wants it. */
import type { EpisodeChange } from "./alerts/episodes.ts";
import type { Store } from "./store/api.ts";
import type { Episode } from "./types.ts";

export interface EpisodeOutlets {
  changed(episode: Episode, change: EpisodeChange): void;
  /** Ends on record what an earlier run of the program left open. */
  closeLeftOpen(): Promise<void>;
}

/** An open episode's figures are kept this often; its rise and its end at once. */
const KEEP_MS = 10_000;
const LEFT_OPEN = 50;

export function createEpisodeOutlets(parts: {
  store: Pick<Store, "episodes" | "saveEpisode">;
  monotonic: () => number;
  /** Shown on the page: each change. */
  publish: (episode: Episode) => void;
  /** Told to the channels: what is news. */
  tell: (episode: Episode) => void;
}): EpisodeOutlets {
  const { store, monotonic } = parts;
  /** Those that repeat what was told a moment ago. */
  const quiet = new Set<string>();
  const keptAt = new Map<string, number>();

  return {
    changed(episode, change) {
      if (change === "repeated") quiet.add(episode.id);
      if (change === "raised" || change === "escalated") quiet.delete(episode.id);
      const due = monotonic() - (keptAt.get(episode.id) ?? -Infinity) >= KEEP_MS;
      if (change !== "updated" || due) {
        keptAt.set(episode.id, monotonic());
        store.saveEpisode(episode);
      }
      parts.publish(episode);
      if (!quiet.has(episode.id) && change !== "settled") parts.tell(episode);
      if (episode.endedAt !== undefined) {
        keptAt.delete(episode.id);
        quiet.delete(episode.id);
      }
    },
    async closeLeftOpen() {
      try {
        const { episodes } = await store.episodes({ limit: LEFT_OPEN });
        for (const episode of episodes) {
          if (episode.endedAt === undefined) {
            // What came of it nobody saw.
            store.saveEpisode({
              ...episode,
              endedAt: episode.peakAt ?? episode.startedAt,
              currentLevel: "ok",
            });
          }
        }
      } catch {
        // Without a record there is nothing to close.
      }
    },
  };
}
