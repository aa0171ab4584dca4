/** What all lists of the API have in common. */
import type { Context } from "hono";
import type { Column } from "./csv.ts";
import { toCsv } from "./csv.ts";
import { BadParameter, integer, oneOf, text } from "./parameters.ts";
import type { Rows } from "./parts.ts";

export const defaultLimit = 100;
const maxLimit = 1000;

export const format = oneOf(["json", "csv"]);
export const page = { limit: integer(1, maxLimit), before: text(), format };

interface Table<Row> extends Rows<Row> {
  /** The last word of the path: the list's key in JSON and its file name as CSV. */
  name: string;
  columns: readonly Column<Row>[];
  format?: "json" | "csv";
}

/** A list as JSON, or as CSV where that is asked for. */
export function table<Row>(context: Context, { name, columns, format, rows, next }: Table<Row>): Response {
  if (format !== "csv") return context.json({ [name]: rows, ...(next === undefined ? {} : { next }) });
  context.header("Content-Type", "text/csv; charset=utf-8; header=present");
  context.header("Content-Disposition", `attachment; filename="plimsoll-${name}.csv"`);
  if (next !== undefined) {
    const url = new URL(context.req.url);
    url.searchParams.set("before", next);
    // A table has no room for a cursor.
    context.header("Link", `<${url.pathname}${url.search}>; rel="next"`);
  }
  return context.body(toCsv(columns, rows));
}

/** The rows, or the error that says which parameter is no cursor. */
export function knownCursor<Row>(rows: Rows<Row> | undefined, before: string | undefined): Rows<Row> {
  if (rows) return rows;
  throw new BadParameter(
    `Parameter "before" is "${before}"; it must be the "next" of an earlier answer of this path.`,
  );
}
