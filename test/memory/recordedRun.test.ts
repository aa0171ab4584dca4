import { describe, expect, it } from "vitest";

import { hostFloorBytes } from "../../src/memory/headroom.ts";
import { parseRecordedRun } from "../../src/memory/recordedRun.ts";
import type { RunFacts } from "../../src/memory/recording.ts";
import type { MemorySample } from "../../src/types.ts";
import { fixture } from "./fixtures.ts";

const { runs }: { runs: Record<string, RunFacts & { eventAtSeconds?: number }> } = JSON.parse(
  fixture("memory-runs/runs.json"),
);
const MIB = 1024 ** 2;

function recorded(name: string): MemorySample[] {
  return parseRecordedRun(fixture(`memory-runs/${name}.csv`), { fileName: `${name}.csv`, runs }).samples;
}

const at = (samples: MemorySample[], seconds: number): MemorySample | undefined =>
  samples.findLast((sample) => sample.takenAt <= seconds * 1000);

describe("a recorded run", () => {
  it("starts at zero and keeps every row, in bytes", () => {
    const samples = recorded("A1_ramp20_6.1_classic");
    expect(samples).toHaveLength(420);
    expect(samples[0]).toMatchObject({
      takenAt: 0,
      totalBytes: 2075648000,
      availableBytes: 1592960 * 1024,
      anonymousBytes: 267880 * 1024,
      mappedBytes: 3064 * 1024,
      headroomBytes: 1592960 * 1024 - 256 * MIB,
      floorBytes: hostFloorBytes(2075648000),
    });
    expect(samples[0]?.swapOutBytesPerSecond).toBeUndefined();
    expect(samples[0]?.swapUsedBytes).toBeUndefined();
  });

  it.each(["A1_ramp20_6.1_classic", "A4_ramp100_6.12_mglru", "C1_mmap_6.12_swap", "D1_cg_high_6.12"])(
    "%s swaps first when its runs.json says so, and its headroom was used up by then",
    (name) => {
      const samples = recorded(name);
      const event = (runs[name]?.eventAtSeconds ?? 0) * 1000;
      const first = samples.find((sample) => (sample.swapOutBytesPerSecond ?? 0) > 0);
      expect(Math.abs((first?.takenAt ?? 0) - event)).toBeLessThan(500);
      expect(first?.headroomBytes).toBeLessThan(20 * MIB);
    },
  );

  it("of loads and unloads never swaps nor comes near its floor", () => {
    const samples = recorded("B3_saw_6.12_mglru");
    expect(samples.every((sample) => (sample.swapOutBytesPerSecond ?? 0) === 0)).toBe(true);
    expect(Math.min(...samples.map((sample) => sample.headroomBytes ?? 0))).toBeGreaterThan(100 * MIB);
  });

  it("with mapped weights has 40 % of memory available, by the kernel's account, when swapping starts", () => {
    const samples = recorded("C1_mmap_6.12_swap");
    const atEvent = at(samples, 108.5);
    expect((atEvent?.availableBytes ?? 0) / 2075648000).toBeGreaterThan(0.4);
    expect(Math.abs(atEvent?.headroomBytes ?? Number.NaN)).toBeLessThan(300 * MIB);
    expect(atEvent?.headroomBytes).toBeLessThan(0);
  });

  it("in a memory group has the group's limit", () => {
    const samples = recorded("D1_cg_high_6.12");
    const atEvent = at(samples, 40);
    expect(atEvent?.limit?.bytes).toBe(629145600);
    expect(atEvent?.floorBytes).toBe(Math.round(629145600 * 0.03));
    expect(atEvent?.availableBytes).toBeGreaterThan(1200 * MIB);
  });

  it("has pressure as a share of time, between none and all of it", () => {
    const ratios = recorded("A1_ramp20_6.1_classic").map((sample) => sample.pressureSomeRatio ?? 0);
    expect(Math.max(...ratios)).toBeGreaterThan(0.05);
    expect(Math.max(...ratios)).toBeLessThanOrEqual(1);
  });
});

describe("our own export", () => {
  const header =
    "takenAt,spanSeconds,totalBytes,availableBytes,headroomBytes,headroomBytesMin,swapOutBytesPerSecond,pressureSomeRatio,limitBytes,limitUsedBytes,problems";
  const parse = (rows: string[]) =>
    parseRecordedRun([header, ...rows].join("\r\n"), { fileName: "/x/samples.csv" });

  it("comes back as the samples it was made from", () => {
    const { samples, totalBytes } = parse([
      '1795225505000,,16000,9000,-500,,12.5,0.25,8000,3000,"one, two"',
      "1795225506000,,16000,0,,,,,,,",
    ]);
    expect(totalBytes).toBe(16000);
    expect(samples[0]).toEqual({
      takenAt: 0,
      totalBytes: 16000,
      availableBytes: 9000,
      headroomBytes: -500,
      swapOutBytesPerSecond: 12.5,
      pressureSomeRatio: 0.25,
      limit: { bytes: 8000, usedBytes: 3000 },
      gpus: [],
      runners: [],
      problems: [],
    });
    expect(samples[1]).toMatchObject({
      takenAt: 1000,
      availableBytes: 0,
      headroomBytes: -hostFloorBytes(16000),
    });
    expect(samples[1]?.swapOutBytesPerSecond).toBeUndefined();
  });

  it("needs the machine's memory", () => {
    expect(() => parse(["1795225505000,,,9000,,,,,,,"])).toThrow(
      "samples.csv, line 2: totalBytes is missing",
    );
  });
});

describe("what makes no sense is refused with its line:", () => {
  const facts = { runs: { run: { totalBytes: 1000 } }, fileName: "run.csv" };
  it.each([
    ["", "line 1: holds no readings"],
    ["t,MemAvailable\n", "line 1: holds no readings"],
    ["time,MemAvailable\n1,2\n", 'line 1: needs a column "t"'],
    ["t,MemFree\n1,2\n", 'line 1: needs a column "MemAvailable"'],
    ["t,MemAvailable\n0,1\n0.25,abc\n", 'line 3: MemAvailable is "abc"'],
    ["t,MemAvailable\n0,1\n0,2\n", "line 3: the time does not grow"],
    ["t,MemAvailable\n0,1\n,2\n", "line 3: the time is missing"],
    ["t,MemAvailable\n0,1\n1\n", "line 3: 1 cells, but the header has 2"],
  ])("%j", (text, message) => {
    expect(() => parseRecordedRun(text, facts)).toThrow(`run.csv, ${message}`);
  });

  it("a recording whose total nobody knows", () => {
    expect(() => parseRecordedRun("t,MemAvailable\n0,1\n", { fileName: "other.csv" })).toThrow(
      /totalBytes.*runs\.json/,
    );
    expect(
      parseRecordedRun("t,MemAvailable,totalBytes\n0,1,5000\n", { fileName: "other.csv" }).totalBytes,
    ).toBe(5000);
  });

  it("a group column that is not there", () => {
    const group = { run: { totalBytes: 1, groupLimitBytes: 5, groupUsageColumn: "cg" } };
    expect(() => parseRecordedRun("t,MemAvailable\n0,1\n", { runs: group, fileName: "run.csv" })).toThrow(
      /"cg"/,
    );
  });
});

it("counts zswap's pages as swapped", () => {
  const text = "t,MemAvailable,pswpout,zswpout,zswpin\n0,1,10,0,0\n1,1,10,256,11\n";
  const { samples } = parseRecordedRun(text, { runs: { z: { totalBytes: 1 } }, fileName: "z.csv" });
  expect(samples[1]).toMatchObject({ swapOutBytesPerSecond: MIB, swapInBytesPerSecond: 11 * 4096 });
});
