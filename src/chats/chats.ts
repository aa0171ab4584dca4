/** Follows chats: everything in this folder, joined into one observer. */
import type { ExchangeObserver } from "../types.ts";
import { createIdentify, type Identify, type IdentifyOptions } from "./identify.ts";

export interface Chats {
  observer: ExchangeObserver;
  identify: Identify;
}

export function createChats({ newId, moved }: IdentifyOptions): Chats {
  const identify = createIdentify({ newId, moved });
  return {
    identify,
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
