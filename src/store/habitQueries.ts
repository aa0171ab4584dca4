/** What was asked of each model lately, and what loading it again has cost: the facts that advice is made of. */
import type { Database } from "better-sqlite3";
import type { Exchange, Habits, Load, ModelHabit, Notice, ReloadHabit } from "../types.ts";
import { parsed, present } from "./columns.ts";

interface UseRow {
  model: string;
  client: string | null;
  dialect: Exchange["dialect"];
  asks: number;
  tokens: number | null;
  context: number | null;
  /** The notices of those that were cut. */
  cut: string | null;
}

/** Notices that say that tokens were lost, and what follows when a chat does not fit any more. */
const CUT = ["truncated", "messages-dropped", "context-shifted", "prompt-too-long", "context-full"];

/** Reads every exchange since `from` once, by an index; some 100,000 take a tenth of a second. */
export function readHabits(database: Database, { from }: { from: number }): Habits {
  return { models: readUses(database, from), reloads: readReloads(database, from) };
}

function readUses(database: Database, from: number): ModelHabit[] {
  const cut = CUT.map((kind) => `instr(notices, '"kind":"${kind}"') > 0`).join(" OR ");
  const rows = database.prepare<[number], UseRow>(
    `SELECT model, client_name AS client, dialect, requested_context_length IS NOT NULL AS asks,
       context_tokens_used AS tokens, context_length AS context, CASE WHEN ${cut} THEN notices END AS cut
     FROM exchanges
     WHERE started_at >= ? AND +operation IN ('chat', 'generate') AND +model IS NOT NULL
       AND +phase IN ('completed', 'failed')
     ORDER BY started_at`,
  );
  const habits = new Map<string, ModelHabit>();
  for (const row of rows.iterate(from)) {
    const key = `${row.model}\n${row.client ?? ""}\n${row.dialect}\n${row.asks}`;
    const habit = habits.get(key) ?? emptyHabit(row);
    habits.set(key, habit);
    habit.requestCount += 1;
    if (row.cut !== null) {
      habit.cutCount += 1;
      habit.neededContextLength = largest([habit.neededContextLength, ...neededBy(row.cut)]);
    }
    if (row.context !== null) {
      habit.contextLength = row.context;
    }
    if (row.tokens !== null) {
      const bucket = tokenBucket(row.tokens);
      habit.tokens[bucket] = (habit.tokens[bucket] ?? 0) + 1;
      habit.longestTokens = Math.max(habit.longestTokens ?? 0, row.tokens);
    }
  }
  return [...habits.values()];
}

function emptyHabit({ model, client, dialect, asks }: UseRow): ModelHabit {
  return {
    model,
    ...(client !== null && { client }),
    dialect,
    asksContext: asks !== 0,
    requestCount: 0,
    cutCount: 0,
    tokens: {},
  };
}

function neededBy(notices: string): (number | undefined)[] {
  return (parsed<Notice[]>(notices) ?? [])
    .filter(({ kind }) => CUT.includes(kind))
    .map(({ contextLength }) => contextLength);
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** Upper edges, 2 % apart: shares of many requests need no more, and a week of them fits in a few numbers. */
function tokenBucket(tokens: number): number {
  return Math.ceil(1.02 ** Math.ceil(Math.log(Math.max(1, tokens)) / Math.log(1.02)));
}

interface ReloadRow {
  model: string;
  cause: Load["cause"];
  client: string | null;
  previous_client: string | null;
  differences: string | null;
  count: number;
  load_ms: number | null;
  lost_bytes: number | null;
  last_at: number;
  dialect: Exchange["dialect"] | null;
  asks: number | null;
}

function readReloads(database: Database, from: number): ReloadHabit[] {
  const rows = database
    .prepare<[number], ReloadRow>(
      `SELECT loads.model, cause, client, previous_client, differences, count(*) AS count, sum(loads.load_ms) AS load_ms,
         sum(lost_bytes) AS lost_bytes, max(loads.started_at) AS last_at, max(dialect) AS dialect,
         max(CASE WHEN exchanges.id IS NOT NULL THEN requested_context_length IS NOT NULL END) AS asks
       FROM loads LEFT JOIN exchanges ON exchanges.id = loads.exchange_id
       WHERE loads.started_at >= ? AND cause NOT IN ('first', 'unknown')
       GROUP BY loads.model, cause, client, previous_client, differences
       ORDER BY loads.model, cause, client, previous_client, differences`,
    )
    .all(from);
  return rows.map((row) => ({
    model: row.model,
    cause: row.cause,
    count: row.count,
    lastAt: row.last_at,
    ...present({
      client: row.client,
      previousClient: row.previous_client,
      differences: parsed<NonNullable<Load["differences"]>>(row.differences),
      loadMs: row.load_ms,
      lostBytes: row.lost_bytes,
      dialect: row.dialect,
    }),
    ...(row.asks !== null && { asksContext: row.asks !== 0 }),
  }));
}
