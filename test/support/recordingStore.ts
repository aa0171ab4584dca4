/** A store that keeps the ended exchanges in the order they ended, for tests that follow one after the other. */
import type { Store } from "../../src/store/api.ts";
import type { Exchange } from "../../src/types.ts";

export interface RecordingStore extends Store {
  /** The next exchange to have ended. */
  nextEnded(): Promise<Exchange>;
}

export function recordingStore(): RecordingStore {
  const ended: Exchange[] = [];
  /** One that learns something more afterwards is saved again, under the same id. */
  const known = new Set<string>();
  const waiting: ((exchange: Exchange) => void)[] = [];
  const nothing = async () => undefined;
  return {
    nextEnded: () => {
      const exchange = ended.shift();
      return exchange === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(exchange);
    },
    saveExchange(exchange) {
      if ("endedAt" in exchange.state && !known.has(exchange.id)) {
        known.add(exchange.id);
        const wake = waiting.shift();
        if (wake === undefined) {
          ended.push(structuredClone(exchange));
        } else {
          wake(structuredClone(exchange));
        }
      }
    },
    health: () => ({ state: "memory", pending: 0, dropped: 0 }),
    saveSample() {},
    saveLoad() {},
    saveEpisode() {},
    saveConversation() {},
    exchanges: async () => ({ exchanges: [] }),
    exchange: nothing,
    samples: async () => [],
    loads: async () => ({ loads: [] }),
    episodes: async () => ({ episodes: [] }),
    conversations: async () => ({ conversations: [] }),
    conversation: nothing,
    recentConversations: async () => [],
    moveExchange: nothing,
    habits: async () => ({ models: [], reloads: [] }),
    forget: async () => ({ exchanges: 0, samples: 0, loads: 0, episodes: 0, copies: 0 }),
    setting: nothing,
    saveSetting: nothing,
    flush: async () => true,
    close: nothing,
  };
}
