/** Conversations in the record: written with each turn, taken up again after a restart, forgotten in all places. */
import type { Conversation, Exchange, ExchangeObserver, Log } from "../types.ts";
import { remember } from "./bounded.ts";
import { createConversationBook, isOfPeople, type ConversationBook } from "./conversationBook.ts";
import type { ConversationHeads } from "./heads.ts";
import type { Identify, MovedTurn } from "./identify.ts";

/** The part of the store that is used here. */
interface Keeper {
  saveConversation(record: { conversation: Conversation; heads?: string }): void;
  moveExchange(move: { exchangeId: string; conversationId: string }): Promise<void>;
  recentConversations(limit: number): Promise<{ conversation: Conversation; heads?: string }[]>;
}

export interface KeptConversations {
  book: ConversationBook;
  observer: ExchangeObserver;
  /** Takes up what was kept. Without it chats that are gone on with would be new ones. */
  recall(): Promise<void>;
  /** An exchange on record turns out to belong to another conversation. */
  moved(move: MovedTurn): void;
  /** To be called before an exchange is saved once more: it may have been moved since it was told its conversation. */
  putRight(exchange: Exchange): void;
  forget(what: { beforeAt: number } | { conversationId: string } | { all: true }): void;
}

/** A moved turn is the first of a chat that goes on: whatever is learned of it later comes within the next few turns. */
const MOST_MOVED = 256;
/** A person goes on with a chat of the last weeks; reading back more would delay the start. */
const MOST_RECALLED = 2000;

/** A record that does not answer costs that chats are gone on with, never the start. */
export function keepConversations(parts: {
  store: Keeper;
  identify: Identify;
  publish(conversation: Conversation): void;
  removed(id: string): void;
  /** What else is known of one conversation, or of all, is to be forgotten too. */
  forgetFigures(id?: string): void;
  log: Log;
}): KeptConversations {
  const { store, identify, log } = parts;
  const book = createConversationBook({
    save(conversation) {
      const heads = identify.heads(conversation.id);
      store.saveConversation({
        conversation,
        ...(heads !== undefined && { heads: JSON.stringify(heads) }),
      });
      // What programs ask on their own account would push the chats of people out of sight.
      if (isOfPeople(conversation)) {
        parts.publish(conversation);
      }
    },
  });

  /** Where exchanges belong that began elsewhere. */
  const movedTo = new Map<string, string>();
  const putRight = (exchange: Exchange): void => {
    exchange.conversationId = movedTo.get(exchange.id) ?? exchange.conversationId;
  };

  function forgetOne(id: string): void {
    book.forget(id);
    identify.forget(id);
    parts.forgetFigures(id);
    parts.removed(id);
  }

  return {
    book,
    observer: {
      ...book.observer,
      onEnd(exchange) {
        putRight(exchange);
        book.observer.onEnd?.(exchange);
      },
    },
    putRight,
    async recall() {
      try {
        const records = await store.recentConversations(MOST_RECALLED);
        const heads = records.map((record) => readHeads(record.heads)).filter((read) => read !== undefined);
        identify.restore(heads.toReversed());
        book.restore(records.map(({ conversation }) => conversation));
      } catch (error) {
        log.warn("Chats from before the start are not gone on with: the record does not answer", {
          error: String(error),
        });
      }
    },
    moved({ exchangeId, from, to, startedAt }) {
      remember(movedTo, exchangeId, to, MOST_MOVED);
      book.split({ from, to, startedAt });
      store.moveExchange({ exchangeId, conversationId: to }).catch((error: unknown) => {
        log.warn("an exchange could not be moved to its conversation", { error: String(error) });
      });
    },
    forget(what) {
      if ("conversationId" in what) {
        forgetOne(what.conversationId);
      } else if ("beforeAt" in what) {
        for (const { id } of book.before(what.beforeAt)) {
          forgetOne(id);
        }
      } else {
        book.forgetAll();
        identify.forgetAll();
        parts.forgetFigures();
      }
    },
  };
}

/** What somebody broke by hand is as good as absent. */
function readHeads(text: string | undefined): ConversationHeads | undefined {
  try {
    const heads = text === undefined ? undefined : (JSON.parse(text) as ConversationHeads);
    return Array.isArray(heads?.turns) && typeof heads.id === "string" ? heads : undefined;
  } catch {
    return undefined;
  }
}
