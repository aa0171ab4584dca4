import type { Database, Statement } from "better-sqlite3";
import type { MemorySample } from "../types.ts";
import type { Row } from "./columns.ts";
import { conversationToRow, upsertConversation } from "./conversationRows.ts";
import { exchangeToRow } from "./exchangeRows.ts";
import { describe, failureKind } from "./failures.ts";
import { episodeToRow, loadToRow } from "./loadRows.ts";
import type { Batch } from "./messages.ts";
import type { RollupRow } from "./sampleRows.ts";
import { sampleToRow, spanFromRow, spanToRow } from "./sampleRows.ts";
import type { Span } from "./spans.ts";
import { mergeSpans, spanOf } from "./spans.ts";

/**
 * The spans of `sample_rollups` in seconds, each a multiple of the one before. The last is only a shortcut: years of
 * quarter hours would take a second to read.
 */
export const rollupSpans = [10, 60, 900, 14_400] as const;

/** Writes one batch in one transaction and answers how many rows SQLite would not take. */
export type Writer = (batch: Batch) => number;

/** Hears why a row was left out; SQLite names its column, never its value. */
type OnRejected = (reason: string) => void;

/**
 * A writer with its statements prepared. A row that breaks a rule of the schema is left out, told to `onRejected` and
 * counted: it must not keep the others from the disk. Any other error undoes the whole batch and is thrown.
 */
export function createWriter(database: Database, onRejected: OnRejected): Writer {
  const exchange = database.prepare<[Row]>(upsert(database, "exchanges", ["id"]));
  const load = database.prepare<[Row]>(upsert(database, "loads", ["id"]));
  const episode = database.prepare<[Row]>(upsert(database, "episodes", ["id"]));
  const conversation = database.prepare<[Row]>(upsertConversation);
  const writeEach = createRowLoop(onRejected);
  const writeSamples = createSampleWriter(database, writeEach);
  const writeAll = database.transaction(
    (batch: Batch) =>
      writeEach(batch.exchanges, (row) => exchange.run(exchangeToRow(row))) +
      writeEach(batch.loads, (row) => load.run(loadToRow(row))) +
      writeEach(batch.episodes, (row) => episode.run(episodeToRow(row))) +
      writeEach(batch.conversations, (row) => conversation.run(conversationToRow(row))) +
      writeSamples(batch.samples),
  );
  return (batch) => writeAll.immediate(batch);
}

/** Writes row after row and answers how many were left out. */
type RowLoop = <T>(rows: readonly T[], write: (row: T) => unknown) => number;

function createRowLoop(onRejected: OnRejected): RowLoop {
  return (rows, write) => {
    let rejected = 0;
    for (const row of rows) {
      try {
        write(row);
      } catch (error) {
        // SQLite undoes the failed statement alone, so the transaction is whole.
        if (failureKind(error) !== "row") throw error;
        rejected += 1;
        onRejected(describe(error));
      }
    }
    return rejected;
  };
}

/**
 * Rolls samples up as they arrive, in the same transaction. A later job over old samples would need to know how far
 * it came, which a clock that is set back would make it forget; and every span is complete for every query.
 */
function createSampleWriter(
  database: Database,
  writeEach: RowLoop,
): (samples: readonly MemorySample[]) => number {
  const insert = database.prepare<[Row]>(
    insertInto(database, "samples", "ON CONFLICT (taken_at) DO NOTHING"),
  );
  const find = database.prepare<[number, number], RollupRow>(
    "SELECT * FROM sample_rollups WHERE span_seconds = ? AND taken_at = ?",
  );
  const replace = database.prepare<[Row]>(upsert(database, "sample_rollups", ["span_seconds", "taken_at"]));
  return (samples) => {
    const fresh: MemorySample[] = [];
    const rejected = writeEach(samples, (sample) => {
      // NULL would make SQLite invent a key, and with it a time.
      if (!Number.isFinite(sample.takenAt)) throw new RangeError("A sample needs takenAt.");
      // A batch that is sent again after its acknowledgement was lost must not count twice.
      if (insert.run(sampleToRow(sample)).changes > 0) fresh.push(sample);
    });
    for (const seconds of rollupSpans) {
      for (const [start, span] of groupBySpan(fresh, seconds)) {
        const row = find.get(seconds, start);
        const merged = row === undefined ? span : mergeSpans(spanFromRow(row), span);
        replace.run(spanToRow(merged, start, seconds));
      }
    }
    return rejected;
  };
}

function groupBySpan(samples: readonly MemorySample[], seconds: number): Map<number, Span> {
  const spans = new Map<number, Span>();
  const spanMs = seconds * 1000;
  for (const sample of samples) {
    const start = Math.floor(sample.takenAt / spanMs) * spanMs;
    const earlier = spans.get(start);
    spans.set(start, earlier === undefined ? spanOf(sample) : mergeSpans(earlier, spanOf(sample)));
  }
  return spans;
}

function upsert(database: Database, table: string, keys: readonly string[]): string {
  const updates = columnsOf(database, table)
    .filter((column) => !keys.includes(column))
    .map((column) => `${column} = excluded.${column}`);
  return insertInto(database, table, `ON CONFLICT (${keys.join(", ")}) DO UPDATE SET ${updates.join(", ")}`);
}

function insertInto(database: Database, table: string, onConflict: string): string {
  const columns = columnsOf(database, table);
  const values = columns.map((column) => `@${column}`);
  return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${values.join(", ")}) ${onConflict}`;
}

/** The columns a row brings along: all but the number that SQLite gives it. */
function columnsOf(database: Database, table: string): string[] {
  const statement: Statement<[string], string> = database
    .prepare<[string], string>("SELECT name FROM pragma_table_info(?) WHERE name <> 'seq'")
    .pluck();
  return statement.all(table);
}
