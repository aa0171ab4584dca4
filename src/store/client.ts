/** The recorder as the rest of the program holds it; the database is in a thread. */
import type { Store, StoreOptions } from "./api.ts";
import type { Questions, Topic } from "./messages.ts";
import type { Session } from "./session.ts";
import { startSession } from "./session.ts";

export type { Store, StoreOptions } from "./api.ts";

/** What ended a second before a power cut must be on disk, and the transaction itself takes time. */
const exchangeDelayMs = 200;

/** A wait for the disk each second would keep it awake for the sake of five seconds of memory figures. */
const sampleDelayMs = 5000;

/** Forgetting rewrites the whole file, however large and however slow its disk. */
const forgetLimitMs = 600_000;

/**
 * Starts the recorder in a thread of its own. Resolves once it records, or once it is known why it does not:
 * `health()` says so, and the program goes on without a record.
 * @throws StoreRefusal when another instance or a newer program owns the data directory.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const session = startSession(options);
  await session.started;
  return storeOf(session);
}

function storeOf(session: Session): Store {
  const { queue, outbox } = session;

  function save<T>(add: (row: T) => void, delayMs: number): (row: T) => void {
    return (row) => {
      if (session.isOff()) return;
      add(row);
      outbox.queued(delayMs);
    };
  }

  /** What was saved before is sent ahead, so that a reader finds it. */
  function read<T extends Topic>(
    topic: T,
    empty: Questions[T]["answer"],
  ): (ask: Questions[T]["ask"]) => Promise<Questions[T]["answer"]> {
    return (ask) => {
      if (session.isOff()) return Promise.resolve(empty);
      outbox.push();
      return session.ask(topic, ask);
    };
  }

  return {
    health: session.health,
    saveExchange: save(queue.addExchange, exchangeDelayMs),
    saveSample: save(queue.addSample, sampleDelayMs),
    saveLoad: save(queue.addLoad, exchangeDelayMs),
    saveEpisode: save(queue.addEpisode, exchangeDelayMs),
    saveConversation: save(queue.addConversation, exchangeDelayMs),
    exchanges: read("exchanges", { exchanges: [] }),
    exchange: read("exchange", undefined),
    samples: read("samples", []),
    loads: read("loads", { loads: [] }),
    episodes: read("episodes", { episodes: [] }),
    conversations: read("conversations", { conversations: [] }),
    conversation: read("conversation", undefined),
    recentConversations: read("recentConversations", []),
    moveExchange: read("moveExchange", undefined),
    habits: read("habits", { models: [], reloads: [] }),
    setting: read("setting", undefined),
    saveSetting: (key, value) => read("saveSetting", undefined)({ key, value }),
    forget(what) {
      if (session.isOff()) return Promise.reject(new Error(session.health().problem));
      outbox.push();
      return session.ask("forget", what, forgetLimitMs);
    },
    flush: outbox.flush,
    close: session.close,
  };
}
