import type { Database } from "better-sqlite3";

/**
 * Marks what an earlier process left `waiting` or `streaming` as failed. The true end is not on record: the last
 * memory sample since the start of the exchange says how long that process lived, and without one only its own
 * times are known. Answers how many exchanges that were.
 */
export function markInterrupted(database: Database, at: number): number {
  const update = database.prepare(
    `UPDATE exchanges SET
       phase = 'failed',
       stage = NULL,
       error_code = 'interrupted',
       error_message = 'Plimsoll ended while this exchange was running.',
       ended_at = max(
         started_at,
         coalesce(first_token_at, started_at),
         coalesce((SELECT max(taken_at) FROM samples WHERE taken_at BETWEEN exchanges.started_at AND ?), started_at)
       )
     WHERE phase IN ('waiting', 'streaming')`,
  );
  return update.run(at).changes;
}
