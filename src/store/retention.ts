import type { Database } from "better-sqlite3";
import type { RetentionSettings } from "./api.ts";
import { dayMs, episodeMarginMs, hourMs } from "./durations.ts";

/** An episode that nobody ended stops protecting raw samples after this, or it would keep them all for ever. */
const longestOpenEpisodeMs = dayMs;

/** Rows deleted in one transaction: of exchanges, with all their indexes, 500 would keep a write waiting for 50 ms. */
const sliceRows = 200;

/** Deletes one slice and answers whether there is more to do. */
export type RetentionJob = (database: Database) => boolean;

/** What has outlived its time at `at`, as jobs to be repeated, one small transaction each, until they say no. */
export function retentionJobs(at: number, retention: RetentionSettings): RetentionJob[] {
  const keptSince = at - retention.exchangeDays * dayMs;
  return [
    (database) => clearRawSamples(database, at - retention.rawSampleHours * hourMs, at),
    (database) => clearRollups(database, 10, at - retention.tenSecondSampleDays * dayMs),
    (database) => clearRollups(database, 60, at - retention.minuteSampleDays * dayMs),
    (database) => clearOtherExchanges(database, at - retention.otherExchangeDays * dayMs),
    (database) => clearStarted(database, "exchanges", keptSince),
    (database) => clearConversations(database, keptSince),
    (database) => clearStarted(database, "loads", keptSince),
    (database) => clearStarted(database, "episodes", keptSince),
  ];
}

function clearRollups(database: Database, seconds: number, before: number): boolean {
  const statement = database.prepare(
    `DELETE FROM sample_rollups WHERE span_seconds = ? AND taken_at < ? LIMIT ${sliceRows}`,
  );
  return statement.run(seconds, before).changes === sliceRows;
}

function clearOtherExchanges(database: Database, before: number): boolean {
  const statement = database.prepare(
    `DELETE FROM exchanges WHERE operation = 'other' AND started_at < ? LIMIT ${sliceRows}`,
  );
  return statement.run(before).changes === sliceRows;
}

function clearStarted(
  database: Database,
  table: "exchanges" | "loads" | "episodes",
  before: number,
): boolean {
  const statement = database.prepare(`DELETE FROM ${table} WHERE started_at < ? LIMIT ${sliceRows}`);
  return statement.run(before).changes === sliceRows;
}

function clearConversations(database: Database, before: number): boolean {
  const statement = database.prepare(`DELETE FROM conversations WHERE last_at < ? LIMIT ${sliceRows}`);
  return statement.run(before).changes === sliceRows;
}

/**
 * Goes from gap to gap between the windows that episodes protect, because asking of every old sample whether it is
 * protected would read the protected ones anew each minute.
 */
function clearRawSamples(database: Database, before: number, at: number): boolean {
  const statement = database.prepare(
    "DELETE FROM samples WHERE taken_at >= @from AND taken_at < @to LIMIT @rows",
  );
  let remaining = sliceRows;
  for (const { from, to } of gapsBetween(protectedWindows(database, at), before)) {
    remaining -= statement.run({ from, to, rows: remaining }).changes;
    if (remaining === 0) return true;
  }
  return false;
}

interface Window {
  from: number;
  to: number;
}

function protectedWindows(database: Database, at: number): Window[] {
  const statement = database.prepare<Record<string, number>, Window>(
    `SELECT started_at - @margin AS "from",
            coalesce(ended_at, min(@at, started_at + @longest)) + @margin AS "to"
     FROM episodes ORDER BY started_at`,
  );
  return statement.all({ at, margin: episodeMarginMs, longest: longestOpenEpisodeMs });
}

/** The stretches of time before `end` that lie in no window. `windows` are ordered by their start. */
export function gapsBetween(windows: readonly Window[], end: number): Window[] {
  const gaps: Window[] = [];
  let from = Number.MIN_SAFE_INTEGER;
  for (const window of windows) {
    if (window.from >= end) break;
    if (window.from > from) gaps.push({ from, to: window.from });
    from = Math.max(from, window.to);
  }
  if (from < end) gaps.push({ from, to: end });
  return gaps;
}
