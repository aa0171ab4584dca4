import * as fc from "fast-check";
import { expect, it } from "vitest";

import { numberAfter } from "../../src/memory/fields.ts";

it.each([
  ["MemTotal:       24684092 kB\nMapped: 7 kB\n", "MemTotal:", 24684092],
  ["FileMapped: 3\nMapped:\t 7 kB\n", "Mapped:", 7],
  ["pswpout 0\n", "pswpout ", 0],
  ["zswpout 12\npswpout 5", "pswpout ", 5],
  ["42\n", "", 42],
])("finds a number by the name at the start of its line in %j", (text, label, expected) => {
  expect(numberAfter(text, label)).toBe(expected);
});

it.each([
  ["max\n", ""],
  ["", ""],
  ["anon \n", "anon "],
  ["file_mapped 12\n", "mapped "],
])("is absent, not zero, when %j holds no number after %j", (text, label) => {
  expect(numberAfter(text, label)).toBeUndefined();
});

it("finds every line of any table, whatever surrounds it", () => {
  const table = fc.uniqueArray(
    fc.record({ name: fc.stringMatching(/^[a-z_]{1,12}$/), value: fc.nat(2 ** 52) }),
    { selector: (line) => line.name },
  );
  fc.assert(
    fc.property(table, (lines) => {
      const text = lines.map(({ name, value }) => `${name} ${value}\n`).join("");
      for (const { name, value } of lines) expect(numberAfter(text, `${name} `)).toBe(value);
    }),
  );
});
