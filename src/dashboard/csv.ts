/** One column of a table: its heading and how a row fills it. */
export interface Column<Row> {
  heading: string;
  cell(row: Row): string | number | boolean | undefined;
}

// Spreadsheets run a cell that starts like this as a formula, and client and model names come from strangers (OWASP, CSV injection).
// Some drop what nobody sees before they look, NUL above all (OWASP ASVS 5, 1.2.10); some take the wide signs of Japanese for these.
const startsFormula = /^(?:[\s\p{C}]*[=+\-@＝＋－＠]|\p{Cc})/u;

/** A table as CSV (RFC 4180, CRLF). Absent values are empty; text that a spreadsheet would run gets a leading `'`. */
export function toCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  return csvHeading(columns) + rows.map((row) => csvLine(columns, row)).join("");
}

/** The first line of a table, with its line end. */
export function csvHeading<Row>(columns: readonly Column<Row>[]): string {
  return `${columns.map((column) => quote(column.heading)).join(",")}\r\n`;
}

/** The line of one row, with its line end. */
export function csvLine<Row>(columns: readonly Column<Row>[], row: Row): string {
  return `${columns.map((column) => cellText(column.cell(row))).join(",")}\r\n`;
}

function cellText(value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  // A negative number is a figure, not a formula: guarding it would turn it into text.
  if (typeof value !== "string") return String(value);
  return quote(startsFormula.test(value) ? `'${value}` : value);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
