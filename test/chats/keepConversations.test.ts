import { expect, it } from "vitest";
import { createIdentify } from "../../src/chats/identify.ts";
import { keepConversations } from "../../src/chats/keepConversations.ts";
import { silentLog } from "../support/startPlimsoll.ts";
import { asked } from "./people.ts";

function kept() {
  const moves: { exchangeId: string; conversationId: string }[] = [];
  const conversations = keepConversations({
    store: {
      saveConversation: () => {},
      moveExchange: async (move) => void moves.push(move),
      recentConversations: async () => [],
    },
    identify: createIdentify({ newId: () => "new" }),
    publish: () => {},
    removed: () => {},
    forgetFigures: () => {},
    log: silentLog,
  });
  return { conversations, moves };
}

it("saves an exchange that was moved where it belongs, also if it ends or is amended later", () => {
  const { conversations, moves } = kept();
  const exchange = { ...asked({}).exchange, conversationId: "old", turn: 1, purpose: "chat" as const };
  conversations.observer.onRequest?.(exchange, {});
  conversations.moved({ exchangeId: exchange.id, from: "old", to: "new", startedAt: exchange.startedAt });
  expect(moves).toEqual([{ exchangeId: exchange.id, conversationId: "new" }]);
  conversations.observer.onEnd?.({ ...exchange, state: { phase: "completed", endedAt: exchange.startedAt } });
  expect(conversations.book.find("new")).toMatchObject({ turnCount: 1 });

  const again = structuredClone(exchange);
  conversations.putRight(again);
  expect(again.conversationId).toBe("new");
  const other = { ...structuredClone(exchange), id: "another" };
  conversations.putRight(other);
  expect(other.conversationId).toBe("old");
});
