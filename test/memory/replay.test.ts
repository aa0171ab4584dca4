import { expect, it } from "vitest";

import { createReplaySource, readRecordedRun } from "../../src/memory/replay.ts";
import { createMemorySource } from "../../src/memory/source.ts";
import type { MemorySample } from "../../src/types.ts";
import { fakeClock, fakeTree } from "./fixtures.ts";

function sample(takenAt: number, rest: Partial<MemorySample> = {}): MemorySample {
  return { takenAt, gpus: [], runners: [], problems: [], ...rest };
}

function playing(samples: MemorySample[]) {
  const clock = fakeClock(70_000);
  const now = (): number => 1_795_225_505_000 + clock.monotonic();
  const source = createReplaySource({ samples, name: "run.csv", now, monotonic: clock.monotonic });
  return { clock, source, now };
}

it("plays at the recorded speed from the first reading on, stamped with the time of now", () => {
  const { clock, source, now } = playing(
    [0, 1000, 2000, 9000].map((at) => sample(at, { availableBytes: at })),
  );
  expect(source.state).toBe("replay");
  expect(source.read()).toMatchObject({ availableBytes: 0, takenAt: now() });
  clock.advance(999);
  expect(source.read()).toBeUndefined();
  clock.advance(1);
  expect(source.read()).toMatchObject({ availableBytes: 1000, takenAt: now() });
  expect(source.problems()).toEqual([]);
});

it("loses no burst between two readings: rates are the mean over the time between them", () => {
  const { clock, source } = playing([
    sample(0),
    sample(250, { swapOutBytesPerSecond: 4_000_000, pressureSomeRatio: 0.4 }),
    sample(500, { swapOutBytesPerSecond: 0, pressureSomeRatio: 0 }),
    sample(1000, { swapOutBytesPerSecond: 0 }),
    sample(5000),
  ]);
  expect(source.read()?.swapOutBytesPerSecond).toBeUndefined();
  clock.advance(1000);
  expect(source.read()).toMatchObject({ swapOutBytesPerSecond: 1_000_000, pressureSomeRatio: 0.2 });
});

it("says with the last sample, and from then on, that it is over, and gives no more", () => {
  const { clock, source } = playing([sample(0), sample(1000)]);
  source.read();
  clock.advance(1000);
  const ending = ["the recording run.csv is over: no more readings"];
  expect(source.read()?.problems).toEqual(ending);
  clock.advance(60_000);
  expect(source.read()).toBeUndefined();
  expect(source.problems()).toEqual(ending);
});

it("is what PLIMSOLL_MEMORY_SOURCE names, with the runs.json beside it, even for an Ollama elsewhere", () => {
  const folder = fakeTree();
  folder.write("mine.csv", "t,MemAvailable\n0,500\n1,400\n");
  folder.write("runs.json", '{"runs":{"mine":{"totalBytes":1024000}}}');
  const source = createMemorySource({
    platform: "linux",
    upstreamIsLocal: false,
    replayPath: `${folder.root}/mine.csv`,
    now: () => 0,
    monotonic: () => 0,
  });
  expect(source.state).toBe("replay");
  expect(source.read()).toMatchObject({ totalBytes: 1024000, availableBytes: 500 * 1024 });
});

it("refuses a file that is not there, and a runs.json that is broken, by name", () => {
  const folder = fakeTree();
  expect(() => readRecordedRun(`${folder.root}/none.csv`)).toThrow(
    /none\.csv cannot be read: check PLIMSOLL_MEMORY_SOURCE/,
  );
  folder.write("run.csv", "t,MemAvailable\n0,1\n");
  folder.write("runs.json", "{");
  expect(() => readRecordedRun(`${folder.root}/run.csv`)).toThrow(/runs\.json is not valid JSON/);
});
