/** Who stood in front of whom: exchanges of one model share its slots. */
import type { Exchange } from "../types.ts";
import { remember } from "./bounded.ts";

export interface QueueWatch {
  /** `ahead`: exchanges of the same model in progress when this one came. */
  began(exchange: Exchange, facts: { ahead: readonly Exchange[]; slots: number }): void;
  /** `slotFreeAt`: when enough of those in front had ended, epoch ms. */
  ended(exchange: Exchange): { behindOthers: boolean; slotFreeAt?: number };
}

interface Waiting {
  ahead: Set<string>;
  slots: number;
  behindOthers: boolean;
  slotFreeAt?: number;
}

const MOST_WAITING = 2048;

/** Of all models; exchanges of other models are no part of `ahead`, since each runner has slots of its own. */
export function createQueueWatch(): QueueWatch {
  const waiting = new Map<string, Waiting>();
  return {
    began(exchange, { ahead, slots }) {
      const entry: Waiting = {
        ahead: new Set(ahead.map(({ id }) => id)),
        slots,
        behindOthers: ahead.length >= slots,
      };
      remember(waiting, exchange.id, entry, MOST_WAITING);
    },
    ended(exchange) {
      const own = waiting.get(exchange.id);
      waiting.delete(exchange.id);
      const endedAt = "endedAt" in exchange.state ? exchange.state.endedAt : undefined;
      for (const entry of waiting.values()) {
        if (entry.ahead.delete(exchange.id) && entry.ahead.size < entry.slots) {
          entry.slotFreeAt ??= endedAt;
        }
      }
      const { behindOthers = false, slotFreeAt } = own ?? {};
      return { behindOthers, slotFreeAt };
    },
  };
}
