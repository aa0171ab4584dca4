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
const extremeColumns = extremeFigures.map((figure) => [figure, columnOf(figure)] as const);
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

/** The same as a span of one sample, straight from the cells: an hour has 3,600 of them. */
export function spanFromSampleRow(row: SampleRow): Span {
  const means = readFigures(row, columns);
  const extremes = readFigures(row, extremeColumns);
  const knownCounts: Span["knownCounts"] = {};
  for (const figure of figures) if (means[figure] === undefined) knownCounts[figure] = 0;
  return { sampleCount: 1, means, knownCounts, min: extremes, max: extremes, ...listsOf(row) };
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

type Cells = readonly (number | string | null)[];

/** What {@link spanFromCells} reads of a row of `sample_rollups`, in its order. */
export const spanColumns: readonly string[] = [
  "taken_at",
  "sample_count",
  "known_counts",
  "gpus",
  "runners",
  "problems",
  ...[...columns, ...minColumns, ...maxColumns].map(([, column]) => column),
];
const firstMean = 6;
const firstMin = firstMean + columns.length;
const firstMax = firstMin + minColumns.length;

/** The span of a row read as a list of cells: ten thousand objects with fifty names each take twice as long. */
export function spanFromCells(cells: Cells): Span {
  const [, sampleCount, knownCounts, gpus, runners, problems] = cells;
  return {
    sampleCount: Number(sampleCount),
    means: figuresFromCells(cells, columns, firstMean),
    knownCounts: parsed<Span["knownCounts"]>(textCell(knownCounts)) ?? {},
    min: figuresFromCells(cells, minColumns, firstMin),
    max: figuresFromCells(cells, maxColumns, firstMax),
    ...listsOf({ gpus: textCell(gpus), runners: textCell(runners), problems: textCell(problems) }),
  };
}

function textCell(cell: number | string | null | undefined): string | null {
  return typeof cell === "string" ? cell : null;
}

function figuresFromCells<F extends Figure>(
  cells: Cells,
  names: readonly (readonly [F, string])[],
  from: number,
): Partial<Record<F, number>> {
  const values: Partial<Record<F, number>> = {};
  for (let index = 0; index < names.length; index += 1) {
    const cell = cells[from + index];
    const name = names[index]?.[0];
    if (typeof cell === "number" && name !== undefined) values[name] = cell;
  }
  return values;
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
