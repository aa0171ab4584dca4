import type { GpuSample, MemorySample, RunnerSample } from "../types.ts";
import type { Row } from "./columns.ts";
import { integer, json, parsed, real } from "./columns.ts";
import type { Figure } from "./figures.ts";
import { columnOf, extremeFigures, figures, figuresOf, sampleFieldsOf } from "./figures.ts";
import type { Span } from "./spans.ts";

interface Lists {
  gpus: string | null;
  runners: string | null;
  problems: string | null;
}

/** A row of `samples` as SQLite answers it: a column a figure. */
export interface SampleRow extends Lists {
  taken_at: number;
  [column: string]: number | string | null;
}

/** A row of `sample_rollups` as SQLite answers it. */
export interface RollupRow extends Lists {
  taken_at: number;
  span_seconds: number;
  sample_count: number;
  known_counts: string | null;
  [column: string]: number | string | null;
}

/** Spelled out once: a series reads hundreds of thousands of cells by these names. */
const columns = figures.map((figure) => [figure, columnOf(figure)] as const);
const minColumns = extremeFigures.map((figure) => [figure, `min_${columnOf(figure)}`] as const);
const maxColumns = extremeFigures.map((figure) => [figure, `max_${columnOf(figure)}`] as const);

/** A sample as columns of `samples`. */
export function sampleToRow(sample: MemorySample): Row {
  const row: Row = {
    taken_at: integer(sample.takenAt),
    gpus: json(sample.gpus),
    runners: json(sample.runners),
    problems: json(sample.problems),
  };
  const values = figuresOf(sample);
  for (const [figure, column] of columns) {
    row[column] = figure.endsWith("Bytes") ? integer(values[figure]) : real(values[figure]);
  }
  return row;
}

/** The sample that {@link sampleToRow} wrote; absent fields are absent again. */
export function sampleFromRow(row: SampleRow): MemorySample {
  return { takenAt: row.taken_at, ...sampleFieldsOf(readFigures(row, columns)), ...listsOf(row) };
}

/** A span as columns of `sample_rollups`. */
export function spanToRow(span: Span, takenAt: number, spanSeconds: number): Row {
  const row: Row = {
    taken_at: takenAt,
    span_seconds: spanSeconds,
    sample_count: span.sampleCount,
    known_counts: Object.keys(span.knownCounts).length === 0 ? undefined : json(span.knownCounts),
    gpus: json(span.gpus),
    runners: json(span.runners),
    problems: json(span.problems),
  };
  for (const [figure, column] of columns) row[column] = span.means[figure];
  for (const [figure, column] of minColumns) row[column] = span.min[figure];
  for (const [figure, column] of maxColumns) row[column] = span.max[figure];
  return row;
}

/** The span that {@link spanToRow} wrote. */
export function spanFromRow(row: RollupRow): Span {
  return {
    sampleCount: row.sample_count,
    means: readFigures(row, columns),
    knownCounts: parsed<Span["knownCounts"]>(row.known_counts) ?? {},
    min: readFigures(row, minColumns),
    max: readFigures(row, maxColumns),
    ...listsOf(row),
  };
}

function readFigures<F extends Figure>(
  row: SampleRow | RollupRow,
  names: readonly (readonly [F, string])[],
): Partial<Record<F, number>> {
  const values: Partial<Record<F, number>> = {};
  for (const [figure, column] of names) {
    const cell = row[column];
    if (typeof cell === "number") values[figure] = cell;
  }
  return values;
}

function listsOf(row: Lists): Pick<MemorySample, "gpus" | "runners" | "problems"> {
  return {
    gpus: parsed<GpuSample[]>(row.gpus) ?? [],
    runners: parsed<RunnerSample[]>(row.runners) ?? [],
    problems: parsed<string[]>(row.problems) ?? [],
  };
}
