import { beforeEach, expect, it, vi } from "vitest";

import { createSampler, type MemorySource, type Sampler } from "../../src/memory/sampler.ts";
import type { Log, MemorySample } from "../../src/types.ts";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const monotonic = (): number => Date.now();

function sampleAt(takenAt: number): MemorySample {
  return { takenAt, availableBytes: 1, gpus: [], runners: [], problems: [] };
}

function scriptedSource(read: () => MemorySample | undefined = () => sampleAt(Date.now())) {
  const calls = { reads: 0, rescans: 0, closed: 0 };
  const source: MemorySource = {
    state: "on",
    read: () => {
      calls.reads += 1;
      return read();
    },
    runners: () => [],
    rescan: () => {
      calls.rescans += 1;
    },
    problems: () => ["pressure is not there"],
    setDeviceInUse: () => {},
    close: async () => {
      calls.closed += 1;
    },
  };
  return { source, calls };
}

function started(
  source: MemorySource,
  options: { cpuTimeMs?: () => number; log?: Log } = {},
): { sampler: Sampler; heard: MemorySample[] } {
  const sampler = createSampler({ source, intervalMs: 1000, monotonic, ...options });
  const heard: MemorySample[] = [];
  sampler.start((sample) => heard.push(sample));
  return { sampler, heard };
}

it("takes a reading at once and then every second", () => {
  const { source } = scriptedSource();
  const { sampler, heard } = started(source);
  expect(heard).toHaveLength(1);
  vi.advanceTimersByTime(3000);
  expect(heard).toHaveLength(4);
  expect(sampler.latest()).toBe(heard[3]);
});

it("emits nothing while there is nothing to say, and has the source's problems in its health", () => {
  const { source } = scriptedSource(() => undefined);
  const { sampler, heard } = started(source);
  vi.advanceTimersByTime(5000);
  expect(heard).toEqual([]);
  expect(sampler.latest()).toBeUndefined();
  expect(sampler.health()).toEqual({ state: "on", problems: ["pressure is not there"] });
});

it("turns a source that throws into a problem, said once in the log, and goes on when it recovers", () => {
  let broken = true;
  const { source } = scriptedSource(() => {
    if (broken) throw new Error("/proc/meminfo cannot be read");
    return sampleAt(Date.now());
  });
  const warnings: string[] = [];
  const silent = (): void => {};
  const log: Log = { debug: silent, info: silent, error: silent, warn: (message) => warnings.push(message) };
  const { sampler, heard } = started(source, { log });
  vi.advanceTimersByTime(3000);
  expect(sampler.health().problems[0]).toBe("memory cannot be read: /proc/meminfo cannot be read");
  expect(warnings).toHaveLength(1);
  broken = false;
  vi.advanceTimersByTime(1000);
  expect(heard).toHaveLength(1);
  expect(sampler.health().problems).toEqual(["pressure is not there"]);
});

it("does not stop because a listener throws", () => {
  const { source, calls } = scriptedSource();
  const sampler = createSampler({ source, intervalMs: 1000, monotonic });
  sampler.start(() => {
    throw new Error("listener");
  });
  vi.advanceTimersByTime(2000);
  expect(calls.reads).toBe(3);
  expect(sampler.latest()).toBeDefined();
});

it("hurries while a model loads, looking for its process each time, and then calms down", () => {
  const { source, calls } = scriptedSource();
  const { sampler, heard } = started(source);
  vi.advanceTimersByTime(1000);
  sampler.hurry(250, 10_000);
  expect(calls.rescans).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(heard.length).toBe(2 + 40);
  expect(calls.rescans).toBeGreaterThanOrEqual(40);
  const afterLoad = heard.length;
  vi.advanceTimersByTime(10_000);
  expect(heard.length).toBe(afterLoad + 10);
});

it("is never slower for hurrying", () => {
  const { source } = scriptedSource();
  const { sampler, heard } = started(source);
  sampler.hurry(5000, 60_000);
  vi.advanceTimersByTime(10_000);
  expect(heard.length).toBe(11);
});

it("halves its pace when it costs over 1 % of a core, and says so", () => {
  let cpuMs = 0;
  const { source, calls } = scriptedSource(() => {
    cpuMs += 15;
    return sampleAt(Date.now());
  });
  const { sampler } = started(source, { cpuTimeMs: () => cpuMs });
  vi.advanceTimersByTime(61_000);
  expect(sampler.health().problems[0]).toMatch(/slowed to every 2000 ms/);
  const before = calls.reads;
  vi.advanceTimersByTime(60_000);
  expect(calls.reads - before).toBe(30);
});

it("stops reading and closes its source", async () => {
  const { source, calls } = scriptedSource();
  const { sampler } = started(source);
  await sampler.stop();
  vi.advanceTimersByTime(5000);
  expect(calls).toMatchObject({ reads: 1, closed: 1 });
});

it("does not keep the process alive", () => {
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const { source } = scriptedSource();
  started(source);
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before);
});
