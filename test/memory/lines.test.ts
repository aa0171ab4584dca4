import * as fc from "fast-check";
import { expect, it } from "vitest";

import { createLineReader } from "../../src/memory/lines.ts";

function linesOf(chunks: string[]): string[] {
  const lines: string[] = [];
  const accept = createLineReader((line) => lines.push(line));
  for (const chunk of chunks) accept(chunk);
  return lines;
}

it("gives the same lines however the text is cut", () => {
  const text = "first\r\nsecond\n\nüñí\n";
  for (let at = 0; at <= text.length; at += 1) {
    expect(linesOf([text.slice(0, at), text.slice(at)])).toEqual(["first", "second", "", "üñí"]);
  }
  expect(linesOf([...text])).toEqual(["first", "second", "", "üñí"]);
});

it("gives back any lines that were joined", () => {
  const line = fc.string().map((text) => text.replaceAll(/[\r\n]/g, ""));
  fc.assert(
    fc.property(fc.array(line), fc.nat(20), (lines, size) => {
      const text = lines.map((each) => `${each}\n`).join("");
      const chunks = text.match(new RegExp(`[\\s\\S]{1,${size + 1}}`, "g")) ?? [];
      expect(linesOf(chunks)).toEqual(lines);
    }),
  );
});

it("holds back a line that has not ended", () => {
  expect(linesOf(["begun"])).toEqual([]);
});

it("drops what never ends instead of keeping it", () => {
  const chunk = "x".repeat(100_000);
  expect(linesOf([chunk, chunk, chunk, "y\n", "next\n"])).toEqual(["y", "next"]);
});
