import * as fc from "fast-check";
import { expect, it } from "vitest";

import { parseMeminfo } from "../../src/memory/meminfo.ts";
import { pageBytesOf, readPageBytes } from "../../src/memory/pageSize.ts";
import { parsePressure } from "../../src/memory/pressure.ts";
import { parseVmstat } from "../../src/memory/vmstat.ts";
import { fakeTree, fixture } from "./fixtures.ts";

it("reads a recorded meminfo in bytes", () => {
  const text = fixture("memory/proc-meminfo.txt");
  const recorded = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]) * 1024;

  expect(parseMeminfo(text)).toEqual({
    totalBytes: recorded("MemTotal"),
    availableBytes: recorded("MemAvailable"),
    anonymousBytes: recorded("AnonPages"),
    mappedBytes: recorded("Mapped"),
    swapTotalBytes: 0,
    swapUsedBytes: 0,
  });
  expect(recorded("MemTotal")).toBeGreaterThan(2 ** 30);
});

it("takes an available of zero for zero", () => {
  expect(
    parseMeminfo("MemTotal: 2027000 kB\nMemFree: 65916 kB\nMemAvailable:       0 kB\n").availableBytes,
  ).toBe(0);
});

it("leaves out what an old kernel does not say", () => {
  expect(parseMeminfo("MemTotal: 2027000 kB\nMemFree: 65916 kB\n")).toEqual({ totalBytes: 2027000 * 1024 });
});

it("survives a meminfo cut at any byte", () => {
  const text = fixture("memory/proc-meminfo.txt");
  for (let length = 0; length <= text.length; length += 1) {
    for (const value of Object.values(parseMeminfo(text.slice(0, length)))) {
      expect(value === undefined || value >= 0).toBe(true);
    }
  }
});

it("reads the counters of a recorded vmstat", () => {
  expect(parseVmstat(fixture("memory/proc-vmstat.txt"))).toEqual({
    swapOutPages: 0,
    swapInPages: 0,
    refaultPages: expect.any(Number),
    kswapdScanPages: 0,
  });
});

it("counts pages that zswap holds as swapped: pswpout does not move for them", () => {
  const before = parseVmstat("pswpout 74256\npswpin 8\nzswpout 0\nzswpin 0\n");
  const after = parseVmstat("pswpout 74256\npswpin 8\nzswpout 51699\nzswpin 11\n");
  expect((after.swapOutPages ?? 0) - (before.swapOutPages ?? 0)).toBe(51699);
  expect((after.swapInPages ?? 0) - (before.swapInPages ?? 0)).toBe(11);
});

it("knows the older name of the refault counter, and leaves out what is not there", () => {
  expect(parseVmstat("workingset_refault 9\n")).toEqual({ refaultPages: 9 });
});

it("reads the totals of a recorded pressure file", () => {
  expect(parsePressure(fixture("memory/proc-pressure.txt"))).toEqual({
    pressureSomeMicroseconds: expect.any(Number),
    pressureFullMicroseconds: expect.any(Number),
  });
  const text =
    "some avg10=1.50 avg60=0.20 avg300=0.00 total=4603235\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3762946\n";
  expect(parsePressure(text)).toEqual({
    pressureSomeMicroseconds: 4603235,
    pressureFullMicroseconds: 3762946,
  });
  expect(parsePressure("")).toEqual({});
});

it("finds the page size among the entries of the auxiliary vector, in both byte orders", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(3n, 16n, 33n, 51n), fc.bigInt(0n, 2n ** 63n))),
      fc.constantFrom(4096, 16384, 65536),
      fc.constantFrom("LE" as const, "BE" as const),
      (others, pageBytes, byteOrder) => {
        const words = [...others.flat(), 6n, BigInt(pageBytes), 0n, 0n];
        const vector = Buffer.alloc(words.length * 8);
        for (const [index, word] of words.entries()) {
          if (byteOrder === "LE") vector.writeBigUInt64LE(word, index * 8);
          else vector.writeBigUInt64BE(word, index * 8);
        }
        expect(pageBytesOf(vector, byteOrder)).toBe(pageBytes);
      },
    ),
  );
});

it("assumes 4 KiB pages when the vector cannot be read", () => {
  expect(readPageBytes(fakeTree().root)).toBe(4096);
});
