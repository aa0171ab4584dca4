import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column } from "../../src/dashboard/csv.ts";
import { toCsv } from "../../src/dashboard/csv.ts";

type Row = { value?: string | number | boolean };
const columns: Column<Row>[] = [
  { heading: "first", cell: (row) => row.value },
  { heading: "second", cell: () => "end" },
];
const cellOf = (value: Row["value"]) => toCsv(columns, [{ value }]).split("\r\n")[1]?.replace(/,end$/, "");

describe("toCsv", () => {
  it("writes a heading and CRLF after every line, the last included", () => {
    expect(toCsv(columns, [])).toBe("first,second\r\n");
    expect(toCsv(columns, [{ value: 1 }])).toBe("first,second\r\n1,end\r\n");
  });

  it("leaves an unknown value empty", () => {
    expect(cellOf(undefined)).toBe("");
  });

  it.each([
    ["a,b", '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ["two\nlines", '"two\nlines"'],
    ["plain", "plain"],
  ])("quotes %j where RFC 4180 asks for it", (value, cell) => {
    expect(cellOf(value)).toBe(cell);
  });

  it.each([
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "\0x",
    "\0=1+1",
    " =1+1",
    "\u00a0+1",
    "\ufeff=1+1",
    "\u200b-1",
    "＝1+1",
    "＠SUM(A1)",
  ])("disarms %j, which a spreadsheet would run", (value) => {
    expect(cellOf(value)?.replace(/^"/, "").startsWith(`'${value}`)).toBe(true);
  });

  it("leaves numbers numbers, negative ones too", () => {
    expect(cellOf(-5)).toBe("-5");
    expect(cellOf(0)).toBe("0");
  });

  it("gives any text back to a reader of RFC 4180, with at most a guard in front", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const [, row] = parse(toCsv(columns, [{ value }]));
        expect([value, `'${value}`]).toContain(row?.[0]);
        expect(row?.[1]).toBe("end");
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

/** A reader of RFC 4180, as strict as the standard. */
function parse(csv: string): string[][] {
  const rows: string[][] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  let row: string[] = [];
  while (cell.lastIndex < csv.length) {
    const match = cell.exec(csv);
    if (!match) throw new Error("not CSV");
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
