import type { Exchange, Purpose } from "../types.ts";
import { remember } from "./bounded.ts";
import type { Place } from "./place.ts";

/** An editor asks at every pause in typing; a longer silence is another piece of work. */
const BURST_GAP_MS = 5 * 60_000;
const MOST_CLIENTS = 256;

interface Burst {
  id: string;
  turn: number;
  lastAt: number;
}

/**
 * What programs ask on their own account. Completions of an editor are one burst as long as they follow each other;
 * titles, tags and their kin stand alone.
 */
export function createBursts(newId: () => string) {
  const bursts = new Map<string, Burst>();

  function next(key: string, at: number): Burst {
    const last = bursts.get(key);
    const goesOn = last !== undefined && Math.abs(at - last.lastAt) <= BURST_GAP_MS;
    const burst = goesOn
      ? { ...last, turn: last.turn + 1, lastAt: at }
      : { id: newId(), turn: 1, lastAt: at };
    remember(bursts, key, burst, MOST_CLIENTS);
    return burst;
  }

  return {
    begin({ client, exchange, purpose }: { client: string; exchange: Exchange; purpose: Purpose }): Place {
      const key = JSON.stringify([client, exchange.model]);
      const { id, turn } =
        purpose === "autocomplete" ? next(key, exchange.startedAt) : { id: newId(), turn: 1 };
      return { conversationId: id, turn, purpose, isBranch: false, isNew: turn === 1 };
    },
  };
}
