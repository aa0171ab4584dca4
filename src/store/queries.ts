import type { Database } from "better-sqlite3";
import type { Episode, Exchange, Load } from "../types.ts";
import type { ExchangeQuery, PageQuery } from "./api.ts";
import { parsed } from "./columns.ts";
import type { ExchangeRow } from "./exchangeRows.ts";
import { exchangeFromRow } from "./exchangeRows.ts";
import type { LoadRow } from "./loadRows.ts";
import { loadFromRow } from "./loadRows.ts";

const defaultLimit = 100;
const highestLimit = 1000;

/** A page of exchanges, newest first by order of arrival. */
export function listExchanges(
  database: Database,
  query: ExchangeQuery,
): { exchanges: Exchange[]; next?: string } {
  const { phase, operation } = query;
  const isRarePhase = phase !== "completed";
  const isRareOperation = operation !== "chat";
  const filters = {
    conversation_id: query.conversation,
    ...(isRarePhase && { phase }),
    ...(isRareOperation && { operation }),
    client_name: query.client,
    model: query.model,
    ...(!isRareOperation && { operation }),
    ...(!isRarePhase && { phase }),
  };
  const { rows, next } = listPage<ExchangeRow>(database, {
    table: "exchanges",
    page: query,
    filters,
    conditions: query.without === "other" ? ["+operation <> 'other'"] : [],
  });
  return { exchanges: rows.map(exchangeFromRow), ...next };
}

/** The exchange of this id. */
export function findExchange(database: Database, id: string): Exchange | undefined {
  const row = database.prepare<[string], ExchangeRow>("SELECT * FROM exchanges WHERE id = ?").get(id);
  return row === undefined ? undefined : exchangeFromRow(row);
}

/** A page of loads, newest first by order of arrival. */
export function listLoads(database: Database, query: PageQuery): { loads: Load[]; next?: string } {
  const { rows, next } = listPage<LoadRow>(database, { table: "loads", page: query, filters: {} });
  return { loads: rows.map(loadFromRow), ...next };
}

/** A page of episodes, newest first by order of arrival. */
export function listEpisodes(database: Database, query: PageQuery): { episodes: Episode[]; next?: string } {
  const { rows, next } = listPage<{ seq: number; json: string }>(database, {
    table: "episodes",
    page: query,
    filters: {},
  });
  const episodes = rows.map((row) => parsed<Episode>(row.json)).filter((episode) => episode !== undefined);
  return { episodes, ...next };
}

interface PageRequest {
  table: "exchanges" | "loads" | "episodes" | "conversations";
  /** All unless told. */
  columns?: string;
  page: PageQuery;
  /** Column to value, the one with the fewest rows to a value first; undefined filters nothing. */
  filters: Record<string, string | undefined>;
  /** More SQL that rows must meet. */
  conditions?: readonly string[];
}

/** A page of a table, the highest `seq` first. */
export function listPage<R extends { seq: number }>(
  database: Database,
  { table, columns = "*", page, filters, conditions: more = [] }: PageRequest,
): { rows: R[]; next: { next?: string } } {
  const limit = Math.min(Math.max(Math.trunc(page.limit ?? defaultLimit), 1), highestLimit);
  const wanted = Object.entries(filters).filter(([, value]) => value !== undefined);
  // A unary plus keeps an index out of it: of several filters only the first, the rarest, picks the rows.
  const conditions = wanted.map(([column], index) => `${index === 0 ? "" : "+"}${column} = @${column}`);
  conditions.push(...more);
  if (page.before !== undefined) conditions.push("seq < @before");
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const statement = database.prepare<[Record<string, unknown>], R>(
    `SELECT ${columns} FROM ${table} ${where} ORDER BY seq DESC LIMIT @rows`,
  );
  // One more than asked for tells whether there is another page.
  const rows = statement.all({ ...filters, before: cursor(page.before), rows: limit + 1 });
  const last = rows[limit - 1];
  return { rows: rows.slice(0, limit), next: rows.length > limit && last ? { next: String(last.seq) } : {} };
}

function cursor(before: string | undefined): number | undefined {
  if (before === undefined) return undefined;
  const seq = Number(before);
  if (/^\d{1,15}$/.test(before) && Number.isSafeInteger(seq)) return seq;
  throw new RangeError('"before" is not a cursor: use the "next" of an earlier answer.');
}
