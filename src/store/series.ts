import type { Database } from "better-sqlite3";
import type { SamplePoint } from "../types.ts";
import type { RetentionSettings, SampleQuery } from "./api.ts";
import { dayMs, episodeMarginMs, hourMs } from "./durations.ts";
import type { SampleRow } from "./sampleRows.ts";
import { sampleFromRow, spanColumns, spanFromCells, spanFromSampleRow } from "./sampleRows.ts";
import type { Span } from "./spans.ts";
import { mergeSpans, pointOf } from "./spans.ts";
import { rollupSpans } from "./writes.ts";

interface Range {
  from: number;
  to: number;
  points: number;
}

/** 0 is the samples as they were taken. */
type SpanSeconds = 0 | (typeof rollupSpans)[number];

/**
 * Memory over a stretch of time, oldest first, in at most `points` points. Raw samples where they are few enough,
 * else spans of equal length that start at multiples of it, each with averages and extremes. A span without samples
 * has no point.
 */
export function readSeries(
  database: Database,
  query: SampleQuery,
  { at, retention }: { at: number; retention: RetentionSettings },
): SamplePoint[] {
  const to = query.to ?? at;
  const from = query.from ?? to - hourMs;
  const points = Math.min(Math.max(Math.trunc(query.points ?? 600), 2), 10_000);
  if (!(from < to)) return [];
  const range = { from, to, points };
  const seconds = chooseSpan(database, range, keptSince(at, retention));
  if (seconds !== 0) return readRollups(database, range, seconds);
  return readRaw(database, range);
}

/** Since when each resolution is complete. The coarser two are kept for good. */
function keptSince(at: number, retention: RetentionSettings): Record<SpanSeconds, number> {
  return {
    0: at - retention.rawSampleHours * hourMs,
    10: at - retention.tenSecondSampleDays * dayMs,
    60: at - retention.minuteSampleDays * dayMs,
    900: -Infinity,
    14_400: -Infinity,
  };
}

/**
 * The coarsest resolution with two rows for each point, since merging finer ones would come to the same at many times
 * the cost (with one row a point, rounding up to whole spans could halve the number of points); but never one that
 * has been cleared away at the start of the range.
 */
function chooseSpan(database: Database, range: Range, since: Record<SpanSeconds, number>): SpanSeconds {
  const pointSeconds = (range.to - range.from) / range.points / 1000;
  const fineEnough = rollupSpans.findLast((seconds) => seconds * 2 <= pointSeconds) ?? 0;
  if (fineEnough === 0 && insideEpisode(database, range)) return 0;
  const candidates: SpanSeconds[] = [0, ...rollupSpans];
  return candidates.find((seconds) => seconds >= fineEnough && range.from >= since[seconds]) ?? 900;
}

function insideEpisode(database: Database, { from, to }: Range): boolean {
  const statement = database.prepare<Record<string, number>>(
    `SELECT 1 FROM episodes
     WHERE started_at - @margin <= @from AND coalesce(ended_at, started_at) + @margin >= @to LIMIT 1`,
  );
  return statement.get({ from, to, margin: episodeMarginMs }) !== undefined;
}

function readRaw(database: Database, range: Range): SamplePoint[] {
  const bounds = { from: range.from, to: range.to };
  const count = Number(
    database
      .prepare<[object]>("SELECT count(*) FROM samples WHERE taken_at >= @from AND taken_at < @to")
      .pluck()
      .get(bounds),
  );
  const rows = database
    .prepare<[object], SampleRow>(
      "SELECT * FROM samples WHERE taken_at >= @from AND taken_at < @to ORDER BY taken_at",
    )
    .iterate(bounds);
  if (count <= range.points) return Array.from(rows, sampleFromRow);
  return reduce(samplesAsSpans(rows), widthSeconds(range, 1));
}

function readRollups(database: Database, range: Range, seconds: number): SamplePoint[] {
  const rows = database
    .prepare<[object]>(
      `SELECT ${spanColumns.join(", ")} FROM sample_rollups
       WHERE span_seconds = @seconds AND taken_at > @from - @seconds * 1000 AND taken_at < @to ORDER BY taken_at`,
    )
    .raw()
    .iterate({ from: range.from, to: range.to, seconds }) as Iterable<(number | string | null)[]>;
  return reduce(rollupsAsSpans(rows), widthSeconds(range, seconds));
}

/** One point less than allowed: spans start at multiples of their width, so one more may stick out at the left. */
function widthSeconds({ from, to, points }: Range, seconds: number): number {
  return Math.ceil((to - from) / 1000 / (points - 1) / seconds) * seconds;
}

interface TimedSpan {
  takenAt: number;
  span: Span;
}

function* samplesAsSpans(rows: Iterable<SampleRow>): Generator<TimedSpan> {
  for (const row of rows) yield { takenAt: row.taken_at, span: spanFromSampleRow(row) };
}

function* rollupsAsSpans(rows: Iterable<(number | string | null)[]>): Generator<TimedSpan> {
  for (const cells of rows) yield { takenAt: Number(cells[0]), span: spanFromCells(cells) };
}

function reduce(spans: Iterable<TimedSpan>, seconds: number): SamplePoint[] {
  const points: SamplePoint[] = [];
  let open: TimedSpan | undefined;
  for (const { takenAt, span } of spans) {
    const start = Math.floor(takenAt / 1000 / seconds) * seconds * 1000;
    if (open?.takenAt === start) {
      open.span = mergeSpans(open.span, span);
      continue;
    }
    if (open !== undefined) points.push(pointOf(open.span, open.takenAt, seconds));
    open = { takenAt: start, span };
  }
  if (open !== undefined) points.push(pointOf(open.span, open.takenAt, seconds));
  return points;
}
