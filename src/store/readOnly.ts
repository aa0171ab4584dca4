import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Conversation, Episode, Exchange, Load, SamplePoint } from "../types.ts";
import type { ConversationQuery } from "./api.ts";
import { parsed } from "./columns.ts";
import { findConversation, listConversations } from "./conversationQueries.ts";
import { conversationFromRow, type ConversationRow } from "./conversationRows.ts";
import { headerVersion } from "./damage.ts";
import { exchangeFromRow, type ExchangeRow } from "./exchangeRows.ts";
import { codeOf } from "./failures.ts";
import { loadFromRow, type LoadRow } from "./loadRows.ts";
import { refuseNewer } from "./migrate.ts";
import { sampleFromRow, spanFromRow, type RollupRow, type SampleRow } from "./sampleRows.ts";
import { pointOf } from "./spans.ts";

/** From when to when, epoch milliseconds, the end excluded. */
export interface TimeRange {
  from: number;
  to: number;
}

/** Rows of a record, oldest first by order of arrival. */
export interface RecordReader {
  exchanges(range: TimeRange): Iterable<Exchange>;
  loads(range: TimeRange): Iterable<Load>;
  /** Without their turns, which are exchanges. */
  everyConversation(range: TimeRange): Iterable<Conversation>;
  episodes(range: TimeRange): Iterable<Episode>;
  /** `spanSeconds` 0 gives each reading as it was taken. */
  samples(range: TimeRange, spanSeconds: number): Iterable<SamplePoint>;
  /** What the program itself keeps under a name. */
  setting(key: string): string | undefined;
  /** A page, the one with the latest turn first. */
  conversations(query: ConversationQuery): { conversations: Conversation[]; next?: string };
  conversation(id: string): Conversation | undefined;
  /** When the newest row was made; absent in an empty record. */
  newestAt(): number | undefined;
  close(): void;
}

/** The schema that first had them. */
const CONVERSATIONS_SINCE = 3;

/** Rows read at once: one statement for everything would keep the log of a running instance from being written back. */
const PAGE_ROWS = 500;

/**
 * Opens the record of a data directory to read it, whether or not an instance is writing to it. `knownVersion` is the
 * newest schema this program knows.
 * @throws StoreRefusal for a newer one; DamagedFile for a file that is no record; Error when there is none.
 */
export function openReader(dataDir: string, knownVersion: number): RecordReader {
  const file = join(dataDir, "plimsoll.db");
  if (!existsSync(file)) throw new Error(`there is no record in ${dataDir}: ${file} does not exist`);
  refuseNewer(file, headerVersion(file) ?? 0, knownVersion);
  const database = openFile(file);
  // The record of an earlier program is upgraded by the next start, not by a reader.
  const hasConversations = (headerVersion(file) ?? 0) >= CONVERSATIONS_SINCE;
  return {
    exchanges: (range) =>
      mapped(pages<ExchangeRow>(database, "exchanges", "started_at", range), exchangeFromRow),
    loads: (range) => mapped(pages<LoadRow>(database, "loads", "started_at", range), loadFromRow),
    *everyConversation(range) {
      // A record of an older program has none.
      if (!hasTable(database, "conversations")) return;
      for (const row of pages<ConversationRow>(database, "conversations", "last_at", range)) {
        const conversation = conversationFromRow(row);
        if (conversation !== undefined) yield conversation;
      }
    },
    *episodes(range) {
      for (const row of pages<{ seq: number; json: string }>(database, "episodes", "started_at", range)) {
        const episode = parsed<Episode>(row.json);
        if (episode !== undefined) yield episode;
      }
    },
    samples: (range, spanSeconds) =>
      spanSeconds === 0
        ? mapped(samplePages(database, range), sampleFromRow)
        : mapped(rollupPages(database, range, spanSeconds), (row) =>
            pointOf(spanFromRow(row), row.taken_at, spanSeconds),
          ),
    setting(key) {
      const value: unknown = database.prepare("SELECT value FROM settings WHERE key = ?").pluck().get(key);
      return typeof value === "string" ? value : undefined;
    },
    conversations: (query) => (hasConversations ? listConversations(database, query) : { conversations: [] }),
    conversation: (id) => (hasConversations ? findConversation(database, id) : undefined),
    newestAt: () => newestAt(database),
    close: () => database.close(),
  };
}

function hasTable(database: Database.Database, name: string): boolean {
  return (
    database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
  );
}

function openFile(file: string): Database.Database {
  try {
    const database = new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 });
    database.pragma("trusted_schema = OFF");
    // Nothing is touched before the first read: a folder that cannot be written to shows itself only now.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return database;
  } catch (error) {
    if (codeOf(error) !== "SQLITE_CANTOPEN") throw error;
    throw new Error(
      `${file} cannot be opened: SQLite needs to write its index beside it. Copy the file to a folder of your own and name that with --data-dir.`,
      { cause: error },
    );
  }
}

function* mapped<Row, Value>(rows: Iterable<Row>, map: (row: Row) => Value): Iterable<Value> {
  for (const row of rows) yield map(row);
}

function* pages<Row extends { seq: number }>(
  database: Database.Database,
  table: "exchanges" | "loads" | "episodes" | "conversations",
  timeColumn: string,
  { from, to }: TimeRange,
): Iterable<Row> {
  const statement = database.prepare<[object], Row>(
    // The plus keeps the index on times out of it: rows are walked in order of arrival.
    `SELECT * FROM ${table} WHERE seq > @after AND +${timeColumn} >= @from AND +${timeColumn} < @to ORDER BY seq LIMIT ${PAGE_ROWS}`,
  );
  yield* paged(
    (after) => statement.all({ after, from, to }),
    (row) => row.seq,
  );
}

function samplePages(database: Database.Database, { from, to }: TimeRange): Iterable<SampleRow> {
  const statement = database.prepare<[object], SampleRow>(
    `SELECT * FROM samples WHERE taken_at > @after AND taken_at >= @from AND taken_at < @to ORDER BY taken_at LIMIT ${PAGE_ROWS}`,
  );
  return paged(
    (after) => statement.all({ after, from, to }),
    (row) => row.taken_at,
  );
}

function rollupPages(
  database: Database.Database,
  { from, to }: TimeRange,
  seconds: number,
): Iterable<RollupRow> {
  const statement = database.prepare<[object], RollupRow>(
    `SELECT * FROM sample_rollups
     WHERE span_seconds = @seconds AND taken_at > @after AND taken_at >= @from AND taken_at < @to
     ORDER BY taken_at LIMIT ${PAGE_ROWS}`,
  );
  return paged(
    (after) => statement.all({ after, from, to, seconds }),
    (row) => row.taken_at,
  );
}

function* paged<Row>(read: (after: number) => Row[], keyOf: (row: Row) => number): Iterable<Row> {
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const rows = read(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = keyOf(last);
  }
}

function newestAt(database: Database.Database): number | undefined {
  const at: unknown = database
    .prepare(
      "SELECT max(at) FROM (SELECT max(started_at) AS at FROM exchanges UNION ALL SELECT max(taken_at) FROM samples)",
    )
    .pluck()
    .get();
  return typeof at === "number" ? at : undefined;
}
