import type { Exchange, Load } from "../src/types.ts";
import { loadWords } from "./marks.ts";
import { noticeWords } from "./words.ts";

/** The rows of the table of what was predicted and came. Pure. */

export type LedgerRow =
  | { id: string; at: number; exchange: Exchange; load?: undefined }
  | { id: string; at: number; load: Load; exchange?: undefined };

/** Exchanges and loads, newest first. Unless the exchanges are `complete`, loads older than the oldest of them wait for it. */
export function ledgerRows(
  exchanges: readonly Exchange[],
  loads: readonly Load[],
  complete: boolean,
): LedgerRow[] {
  const oldest = complete ? 0 : (exchanges.at(-1)?.startedAt ?? 0);
  return [
    ...exchanges.map((exchange) => ({ id: exchange.id, at: exchange.startedAt, exchange })),
    ...loads
      .filter(({ startedAt }) => startedAt >= oldest)
      .map((load) => ({ id: `load-${load.id}`, at: load.startedAt, load })),
  ].toSorted((a, b) => b.at - a.at);
}

/** The rows in which every word occurs: in client, model, outcome, notices or causes. */
export function findRows(rows: readonly LedgerRow[], filter: string): readonly LedgerRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = rowText(row);
    return words.every((word) => text.includes(word));
  });
}

/** What a filter looks through. */
function rowText({ exchange, load }: LedgerRow): string {
  if (load) return `load ${loadWords(load)}`.toLowerCase();
  const { model, client, operation, path, state, notices, conversationId } = exchange;
  const said = notices.map(({ kind }) => `${kind} ${noticeWords[kind] ?? ""}`);
  return [model, client.name, client.userAgent, operation, path, state.phase, conversationId, ...said]
    .filter(Boolean)
    .join(" ")
    .toLowerCase();
}
