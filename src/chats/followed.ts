/** The chats that are followed at the moment, and how one that began before the program's start is taken up. */
import type { Conversation, Exchange } from "../types.ts";
import { remember } from "./bounded.ts";
import { createChatState, takeUp, type ChatState } from "./chatState.ts";
import { turnOnRecord, type OpenTurn } from "./openTurn.ts";
import type { Place } from "./place.ts";
import type { TokenRatio } from "./sentTokens.ts";

export interface FollowedParts {
  /** From before the start: a conversation, and one of its exchanges. */
  kept(conversationId: string): Conversation | undefined;
  onRecord(exchangeId: string): Promise<Exchange | undefined>;
}

export interface Followed {
  /** The chat at this place; it begins to be followed now if it was not. */
  at(place: Place, exchange: Exchange, ratio: TokenRatio): ChatState;
  get(id: string | undefined): ChatState | undefined;
  /** Looks up the turn before on record, for one whose chat has only now been taken up. */
  askForBefore(entry: OpenTurn, chat: ChatState, previousId: string): void;
  forget(id?: string): void;
}

/** The one unused longest gives way, and is taken up again when it goes on. */
const MOST_CHATS = 500;

/** The 500 used last. One that gave way is taken up from the record when it goes on. */
export function createFollowed(parts: FollowedParts): Followed {
  const chats = new Map<string, ChatState>();
  return {
    at(place, { model, client, startedAt }, ratio) {
      const followed = chats.get(place.conversationId);
      const chat = followed ?? createChatState(place, { model, client: client.name, startedAt, ratio });
      const kept = followed === undefined && !place.isNew ? parts.kept(place.conversationId) : undefined;
      if (kept !== undefined) {
        takeUp(chat, kept);
      }
      remember(chats, chat.id, chat, MOST_CHATS);
      return chat;
    },
    get: (id) => (id === undefined ? undefined : chats.get(id)),
    // The answer takes longer than the record; where it does not, the turn is judged by its bytes alone.
    askForBefore(entry, chat, previousId) {
      void parts.onRecord(previousId).then(
        (exchange) => {
          const { prompt } = entry.turn;
          const before =
            exchange === undefined || exchange.model !== chat.model
              ? undefined
              : turnOnRecord(exchange, prompt);
          if (before !== undefined) {
            entry.before = before;
            chat.sent.learnHistory(prompt, before);
            entry.sent = chat.sent.estimate(prompt, before);
          }
        },
        // Without a record it is as if the chat began here.
        () => {},
      );
    },
    forget(id) {
      if (id === undefined) {
        chats.clear();
      } else {
        chats.delete(id);
      }
    },
  };
}
