import type { Episode, Exchange, Load, MemorySample } from "../types.ts";
import type { ConversationRecord } from "./api.ts";
import type { Batch } from "./messages.ts";

/** Rows that wait to be written. Never more than its limit; what had to go is counted. */
export interface Queue {
  addExchange(exchange: Exchange): void;
  addSample(sample: MemorySample): void;
  addLoad(load: Load): void;
  addEpisode(episode: Episode): void;
  addConversation(record: ConversationRecord): void;
  /** Takes out the oldest rows, at most so many. */
  take(most: number): Batch;
  /** Puts rows back that were not written. Newer versions that were queued meanwhile win. */
  putBack(batch: Batch): void;
  /** Gives up everything and counts it. */
  clear(): void;
  size(): number;
  dropped(): number;
}

type IdentifiedRecord = ConversationRecord & { id: string };

/** How many rows a batch holds. */
export function batchSize(batch: Batch): number {
  const { exchanges, samples, loads, episodes, conversations } = batch;
  return exchanges.length + samples.length + loads.length + episodes.length + conversations.length;
}

/**
 * A queue of at most `limit` rows. Saving an exchange again replaces the version that waits, in its old place. When
 * it is full the oldest sample goes first, because a second of memory is worth less than an exchange; then the
 * oldest conversation, whose turns tell most of it; then the oldest exchange, then loads and episodes. So the newest is what survives a disk that is full for hours.
 */
export function createQueue(limit: number): Queue {
  let samples: MemorySample[] = [];
  let exchanges = new Map<string, Exchange>();
  let loads = new Map<string, Load>();
  let episodes = new Map<string, Episode>();
  let conversations = new Map<string, IdentifiedRecord>();
  let droppedRows = 0;

  const size = (): number =>
    samples.length + exchanges.size + loads.size + episodes.size + conversations.size;

  function trim(): void {
    let excess = size() - limit;
    if (excess <= 0) return;
    droppedRows += excess;
    excess -= samples.splice(0, excess).length;
    const byWorth: Map<string, unknown>[] = [conversations, exchanges, loads, episodes];
    for (const rows of byWorth) excess -= takeRows(rows, excess).length;
  }

  return {
    addExchange(exchange) {
      exchanges.set(exchange.id, exchange);
      trim();
    },
    addSample(sample) {
      samples.push(sample);
      trim();
    },
    addLoad(load) {
      loads.set(load.id, load);
      trim();
    },
    addEpisode(episode) {
      episodes.set(episode.id, episode);
      trim();
    },
    addConversation(record) {
      const { id } = record.conversation;
      // To the end: rows are numbered as they are written, by their latest turn.
      conversations.delete(id);
      conversations.set(id, { id, ...record });
      trim();
    },
    take(most) {
      const batch: Batch = {
        exchanges: takeRows(exchanges, most),
        samples: [],
        loads: [],
        episodes: [],
        conversations: [],
      };
      batch.loads = takeRows(loads, most - batchSize(batch));
      batch.episodes = takeRows(episodes, most - batchSize(batch));
      batch.conversations = takeRows(conversations, most - batchSize(batch));
      batch.samples = samples.splice(0, most - batchSize(batch));
      return batch;
    },
    putBack(batch) {
      samples = [...batch.samples, ...samples];
      exchanges = joined(batch.exchanges, exchanges);
      loads = joined(batch.loads, loads);
      episodes = joined(batch.episodes, episodes);
      conversations = joined(
        batch.conversations.map((record) => ({ id: record.conversation.id, ...record })),
        conversations,
      );
      trim();
    },
    clear() {
      droppedRows += size();
      samples = [];
      for (const rows of [exchanges, loads, episodes, conversations]) rows.clear();
    },
    size,
    dropped: () => droppedRows,
  };
}

function takeRows<T>(rows: Map<string, T>, most: number): T[] {
  const taken: T[] = [];
  for (const [id, row] of rows) {
    if (taken.length >= most) break;
    taken.push(row);
    rows.delete(id);
  }
  return taken;
}

function joined<T extends { id: string }>(older: readonly T[], newer: Map<string, T>): Map<string, T> {
  return new Map([...older.map((row) => [row.id, row] as const), ...newer]);
}
