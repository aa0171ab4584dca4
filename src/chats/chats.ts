/** Follows chats: everything in this folder, joined into one observer. */
import type { ExchangeObserver } from "../types.ts";
import { createIdentify } from "./identify.ts";

export interface Chats {
  observer: ExchangeObserver;
}

export function createChats({ newId }: { newId: () => string }): Chats {
  const identify = createIdentify({ newId });
  return {
    observer: {
      name: "chats",
      onRequest(exchange, facts) {
        const identified = identify.begin(exchange, facts);
        if (identified !== undefined) {
          exchange.conversationId = identified.conversationId;
          exchange.turn = identified.turn;
          exchange.purpose = identified.purpose;
          exchange.branchOf = identified.branchOf;
        }
      },
      onEnd: identify.end,
    },
  };
}
