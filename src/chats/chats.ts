/** Follows chats: everything in this folder, joined into two observers. */
import { computes } from "../ollama/operations.ts";
import { createCompany } from "../predict/speedAlone.ts";
import type { Exchange, ExchangeObserver } from "../types.ts";
import { createIdentify, type Identify, type IdentifyOptions } from "./identify.ts";
import { queuedNotice } from "./notices.ts";
import { isNotable, queuedMs } from "./queue.ts";
import { createQueueWatch } from "./queueWatch.ts";
import { createChatWatch, type ChatWatch, type ChatWatchParts } from "./watch.ts";

export interface Chats {
  /** Says which conversation an exchange belongs to, before anything is predicted of it. */
  observer: ExchangeObserver;
  /** Says what befell it, once it has ended and was compared with its prediction. */
  judge: ExchangeObserver;
  watch: ChatWatch;
  identify: Identify;
}

export interface ChatsParts extends ChatWatchParts, IdentifyOptions {
  /** In progress, oldest first. */
  live: () => readonly Exchange[];
}

/** Both observers write on the exchange itself: whoever is told after them sees its conversation, turn and notices. */
export function createChats(parts: ChatsParts): Chats {
  const identify = createIdentify(parts);
  const watch = createChatWatch(parts);
  const queue = createQueueWatch();
  const company = createCompany();

  const queued = (exchange: Exchange): void => {
    const { usage, model } = exchange;
    const { behindOthers, slotFreeAt } = queue.ended(exchange);
    if (!behindOthers || model === undefined || usage === undefined) {
      return;
    }
    const ms = queuedMs({ exchange, behindOthers, slotFreeAt, usualRestMs: watch.restMs(model) });
    if (isNotable(ms)) {
      usage.queueMs = ms;
      exchange.notices.push(queuedNotice(ms));
    }
  };

  return {
    identify: {
      ...identify,
      forget(conversationId) {
        identify.forget(conversationId);
        watch.forget(conversationId);
      },
      forgetAll() {
        identify.forgetAll();
        watch.forget();
      },
    },
    observer: {
      name: "chats",
      onStart(exchange) {
        if (computes(exchange.operation)) {
          company.started(exchange.id);
        }
      },
      onRequest(exchange, facts) {
        const place = identify.begin(exchange, facts);
        if (place !== undefined) {
          exchange.conversationId = place.conversationId;
          exchange.turn = place.turn;
          exchange.purpose = place.purpose;
          exchange.branchOf = place.branchOf;
        }
        const { model } = exchange;
        if (model !== undefined && computes(exchange.operation)) {
          const { key, slots = 1 } = parts.model(model);
          const ahead = parts
            .live()
            .filter(
              (other) =>
                other.id !== exchange.id &&
                computes(other.operation) &&
                other.model !== undefined &&
                parts.model(other.model).key === key,
            );
          queue.began(exchange, { ahead, slots });
        }
        watch.began(exchange, facts, place);
      },
      onEnd: identify.end,
    },
    judge: {
      name: "cuts",
      onEnd(exchange, answer) {
        const alone = company.ended(exchange.id);
        queued(exchange);
        watch.ended(exchange, answer, { alone });
      },
    },
    watch,
  };
}
