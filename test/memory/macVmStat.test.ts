import { expect, it } from "vitest";

import { createVmStatParser, type VmStatLine } from "../../src/memory/macVmStat.ts";
import { fixture } from "./fixtures.ts";

const PAGE = 16384;
const OUTPUT = fixture("memory/vm_stat-1.txt").split("\n");

function parseAll(lines: readonly string[]): VmStatLine[] {
  return lines.map(createVmStatParser()).filter((line) => line !== undefined);
}

it("reads levels by the names of their columns, in pages of the size the title gives", () => {
  expect(parseAll(OUTPUT)[1]).toEqual({
    reusableBytes: (10988 + 424960 + 1924 + 420101) * PAGE,
    compressorBytes: 89584 * PAGE,
    heldBytes: (590056 - 9455 + 165501 + 89584) * PAGE,
    anonymousBytes: 590056 * PAGE,
    swappedInBytes: 0,
    swappedOutBytes: 0,
  });
  expect(parseAll(OUTPUT)[2]).toMatchObject({ swappedInBytes: 12 * PAGE, swappedOutBytes: 1500 * PAGE });
});

it("takes no rates from a line that counts since boot: the first, and the first after each repeated title", () => {
  const [since] = parseAll(OUTPUT);
  expect(since?.reusableBytes).toBeGreaterThan(0);
  expect(since?.swappedOutBytes).toBeUndefined();

  const repeated = [...OUTPUT.slice(0, 5), ...OUTPUT.slice(0, 5)];
  expect(parseAll(repeated).map((line) => line.swappedOutBytes)).toEqual([
    undefined,
    0,
    1500 * PAGE,
    undefined,
    0,
    1500 * PAGE,
  ]);
});

it("reads numbers too wide for their column as thousands, millions and milliards", () => {
  const header = OUTPUT.slice(0, 2);
  const wide = (OUTPUT[3] ?? "").replace(" 424960 ", "  1238K ").replace(" 420101 ", "     2M ");
  expect(parseAll([...header, OUTPUT[2] ?? "", wide])[1]?.reusableBytes).toBe(
    (10988 + 1_238_000 + 1924 + 2_000_000) * PAGE,
  );
});

it("finds columns wherever a release puts them, and passes over columns it does not know", () => {
  const lines = [
    "Mach Virtual Memory Statistics: (page size of 4096 bytes)",
    "swapouts newthing free active specul inactive wired prgable anonymous cmprssor swapins",
    "7 1 100 200 10 300 50 5 150 20 0",
    "8 1 100 200 10 300 50 5 150 20 0",
  ];
  expect(parseAll(lines)[1]).toMatchObject({ reusableBytes: 610 * 4096, swappedOutBytes: 8 * 4096 });
});

it.each([
  ["before any title", [OUTPUT[2] ?? ""]],
  ["of another length than the header", [...OUTPUT.slice(0, 2), "1 2 3"]],
  ["without the compressor's column", ["(page size of 4096 bytes)", "free active wired", "1 2 3"]],
  ["of nonsense", [...OUTPUT.slice(0, 2), Array.from({ length: 22 }, () => "x").join(" ")]],
])("gives nothing for a line %s", (_, lines) => {
  expect(parseAll(lines)).toEqual([]);
});
