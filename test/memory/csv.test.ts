import * as fc from "fast-check";
import { expect, it } from "vitest";

import { parseCsv } from "../../src/memory/csv.ts";

it("asks cells by their column; an empty cell and a missing column are absent", () => {
  const { columns, rows } = parseCsv("a,b,c\r\n1,,x\r\n\r\n-2.5,0,\r\n");
  expect(columns).toEqual(new Set(["a", "b", "c"]));
  expect(
    rows.map((row) => [row.line, row.number("a"), row.number("b"), row.text("c"), row.number("d")]),
  ).toEqual([
    [2, 1, undefined, "x", undefined],
    [4, -2.5, 0, undefined, undefined],
  ]);
});

it("reads quoted cells, a byte-order mark and a last line without its end", () => {
  const { rows } = parseCsv('\uFEFFname,n\n"a, ""b""\nc",7\nlast,8');
  expect(rows.map((row) => [row.line, row.text("name"), row.number("n")])).toEqual([
    [2, 'a, "b"\nc', 7],
    [4, "last", 8],
  ]);
});

it.each([
  ["a,b\n1\n", "line 2: 1 cells, but the header has 2"],
  ["a\n1\n1,2\n", "line 3: 2 cells, but the header has 1"],
  ['a\n1\n"open\n', "line 3: a quote is not closed"],
])("says in which line %j is wrong", (text, message) => {
  expect(() => parseCsv(text)).toThrow(message);
});

it("says which cell is no number", () => {
  expect(() => parseCsv("t,kb\n1,12x\n").rows[0]?.number("kb")).toThrow(
    'line 2: kb is "12x", expected a number',
  );
});

it("has no rows when there is nothing", () => {
  expect(parseCsv("")).toEqual({ columns: new Set(), rows: [] });
});

it("gives back any table that was quoted", () => {
  const cell = fc.string().filter((text) => text.trim() === text && text !== "");
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell)), (table) => {
      const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
      const text = ["a,b", ...table.map((row) => row.map(quote).join(","))].join("\n");
      expect(parseCsv(text).rows.map((row) => [row.text("a"), row.text("b")])).toEqual(table);
    }),
  );
});
