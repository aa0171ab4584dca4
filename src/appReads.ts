/** What is read back: lists and single rows of the record, with what is still in progress beside them. */
import { withLiveTurns } from "./chats/liveTurns.ts";
import type { DashboardParts } from "./dashboard/parts.ts";
import type { Store } from "./store/api.ts";
import type { Conversation, Episode, Exchange, Load } from "./types.ts";

type Reads = Pick<
  DashboardParts,
  | "listExchanges"
  | "findExchange"
  | "listSamples"
  | "listLoads"
  | "listConversations"
  | "findConversation"
  | "listAlerts"
  | "forget"
>;

/** A turn that has ended is on record before a list is read, unless the disk is slow. */
const WRITTEN_FIRST_MS = 500;

export function createReads(parts: {
  store: Store;
  live: () => readonly Exchange[];
  explained: (load: Load) => Load;
  /** A conversation as it stands now, ahead of its row. */
  knownConversation: (id: string) => Conversation | undefined;
  episodes: (query: Parameters<Store["episodes"]>[0]) => Promise<{ rows: Episode[]; next?: string }>;
  /** Something was deleted from the record. */
  forgotten: (what: Parameters<DashboardParts["forget"]>[0]) => void;
}): Reads {
  const { store, live } = parts;
  return {
    listExchanges: (query) =>
      unlessForeignCursor(async () => {
        const { exchanges: rows, next } = await store.exchanges(query);
        return { rows, next };
      }),
    findExchange: async (id) => live().find((exchange) => exchange.id === id) ?? (await store.exchange(id)),
    listSamples: (query) => store.samples(query),
    listLoads: (query) =>
      unlessForeignCursor(async () => {
        const { loads, next } = await store.loads(query);
        return { rows: loads.map(parts.explained), next };
      }),
    listConversations: (query) =>
      unlessForeignCursor(async () => {
        await store.flush(WRITTEN_FIRST_MS);
        const { conversations, next } = await store.conversations(query);
        return { rows: conversations.map((row) => parts.knownConversation(row.id) ?? row), next };
      }),
    findConversation: async (id) => {
      await store.flush(WRITTEN_FIRST_MS);
      return withLiveTurns(await store.conversation(id), {
        known: parts.knownConversation(id),
        live: live().filter((exchange) => exchange.conversationId === id),
      });
    },
    listAlerts: (query) => unlessForeignCursor(() => parts.episodes(query)),
    forget: async (what) => {
      // What is still on its way to the disk would come back.
      await store.flush(WRITTEN_FIRST_MS);
      const forgotten = await store.forget(what);
      parts.forgotten(what);
      return { ...forgotten };
    },
  };
}

/** The store rejects a cursor that it has not made with a RangeError; the API then says which parameter is wrong. */
async function unlessForeignCursor<Page>(read: () => Promise<Page>): Promise<Page | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined;
    }
    throw error;
  }
}
