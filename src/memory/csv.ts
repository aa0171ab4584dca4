/** A row of a table. Cells are asked for by column; a missing column and an empty cell are both absent. */
export interface CsvRow {
  /** The line it begins on, for messages. */
  line: number;
  text(column: string): string | undefined;
  /** Throws with the line when the cell holds something that is no number. */
  number(column: string): number | undefined;
}

export interface CsvTable {
  columns: ReadonlySet<string>;
  rows: CsvRow[];
}

/**
 * Reads comma-separated values with a header line, as RFC 4180 has them: a quoted cell may hold commas, line ends and
 * doubled quotes. Empty lines and a byte-order mark are skipped. Throws with the line number when a quote is never closed
 * or a row has more or fewer cells than the header.
 */
export function parseCsv(text: string): CsvTable {
  const [header, ...records] = splitRecords(text);
  const names = header?.cells.map((name) => name.trim()) ?? [];
  const position = new Map(names.map((name, index) => [name, index]));
  const rows = records.map(({ line, cells }): CsvRow => {
    if (cells.length !== names.length) {
      throw new Error(`line ${line}: ${cells.length} cells, but the header has ${names.length}`);
    }
    const cell = (column: string): string | undefined => {
      const index = position.get(column);
      return (index === undefined ? undefined : cells[index]?.trim()) || undefined;
    };
    return { line, text: cell, number: (column) => toNumber(cell(column), column, line) };
  });
  return { columns: new Set(names), rows };
}

function toNumber(cell: string | undefined, column: string, line: number): number | undefined {
  if (cell === undefined) return undefined;
  const value = Number(cell);
  if (!Number.isFinite(value)) throw new Error(`line ${line}: ${column} is "${cell}", expected a number`);
  return value;
}

interface CsvRecord {
  line: number;
  cells: string[];
}

function splitRecords(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  let record: CsvRecord = { line, cells: [] };
  for (let done = at >= text.length; !done;) {
    cell.lastIndex = at;
    const match = cell.exec(text);
    if (match === null) throw new Error(`line ${line}: a quote is not closed, or stands inside a cell`);
    const [whole, quoted, plain = "", end] = match;
    record.cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    line += whole.split("\n").length - 1;
    if (end === ",") continue;
    if (record.cells.length > 1 || record.cells[0] !== "") records.push(record);
    record = { line, cells: [] };
    done = at >= text.length;
  }
  return records;
}
