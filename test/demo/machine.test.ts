import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/demo/clock.ts";
import { createScriptedMachine, type ScriptedMachine } from "../../src/demo/scriptedMachine.ts";
import type { SimulatedRunner } from "../../src/demo/simulatedOllama.ts";

const GIBIBYTE = 2 ** 30;

function stillClock(): { clock: Clock; advance(seconds: number): void } {
  let now = 1_000_000;
  const never = (): Promise<void> => new Promise(() => {});
  return {
    clock: { now: () => now + 0.25, monotonic: () => now, sleep: never, work: never },
    advance: (seconds) => {
      now += seconds * 1000;
    },
  };
}

function runner(pid: number, gibibytes: { anonymous: number; promptCache?: number }): SimulatedRunner {
  const anonymousBytes = Math.round(gibibytes.anonymous * GIBIBYTE);
  const promptCacheBytes = Math.round((gibibytes.promptCache ?? 0) * GIBIBYTE);
  return {
    process: { pid, startedAt: 5.5, argv: ["llama-server"], settings: { contextLength: 8192 } },
    sample: { pid, startedAt: 5.5, anonymousBytes, fileBytes: 15_000_000, sharedBytes: 0, swappedBytes: 0 },
    memory: {
      anonymousBytes,
      promptCacheBytes,
      fileBytes: 15_000_000,
      weightsBytes: 0,
      kvCacheBytes: 0,
      computeBytes: 0,
      checkpointBytes: 0,
    },
    loaded: true,
    busy: false,
  };
}

function machineWith(first: SimulatedRunner[]): {
  machine: ScriptedMachine;
  advance(seconds: number): void;
  hold(runners: SimulatedRunner[]): void;
} {
  let runners = first;
  const { clock, advance } = stillClock();
  const machine = createScriptedMachine({ clock, runners: () => runners });
  return { machine, advance, hold: (next) => (runners = next) };
}

describe("scripted machine", () => {
  it("has 16 GiB, most of it free, and headroom as available memory less mapped files less the floor", () => {
    const { machine } = machineWith([runner(7, { anonymous: 2 })]);
    const sample = machine.read();
    expect(sample.totalBytes).toBe(16 * GIBIBYTE);
    expect(sample.floorBytes).toBe(Math.round(0.03 * 16 * GIBIBYTE));
    const expected = (sample.availableBytes ?? 0) - 15_000_000 - (sample.floorBytes ?? 0);
    expect(Math.abs((sample.headroomBytes ?? 0) - expected)).toBeLessThan(20_000);
    expect([sample.swapUsedBytes, sample.swapOutBytesPerSecond]).toEqual([0, 0]);
    expect(sample.problems).toEqual([]);
  });

  it("gives whole numbers, as a kernel does", () => {
    const { machine, advance } = machineWith([runner(7, { anonymous: 13.2, promptCache: 4 })]);
    for (let second = 0; second < 5; second += 1) {
      advance(1);
      const sample = machine.read();
      for (const [key, value] of Object.entries(sample)) {
        if (typeof value === "number" && !key.endsWith("Ratio"))
          expect([key, Number.isInteger(value)]).toEqual([key, true]);
      }
      for (const each of sample.runners)
        expect(Object.values(each).every((value) => Number.isInteger(value))).toBe(true);
    }
    expect(machine.runners()[0]?.startedAt).toBe(6);
  });

  it("loses as much headroom as a runner gains", () => {
    const { machine, hold } = machineWith([runner(7, { anonymous: 2 })]);
    const before = machine.read().headroomBytes ?? 0;
    hold([runner(7, { anonymous: 5 })]);
    expect((before - (machine.read().headroomBytes ?? 0)) / GIBIBYTE).toBeCloseTo(3, 1);
  });

  it("lets other programs drift slowly and a little", () => {
    const { machine, advance } = machineWith([]);
    const anonymous = Array.from({ length: 600 }, () => {
      advance(1);
      return machine.read().anonymousBytes ?? 0;
    });
    const steps = anonymous.slice(1).map((bytes, index) => Math.abs(bytes - (anonymous[index] ?? 0)));
    expect(Math.max(...anonymous) - Math.min(...anonymous)).toBeGreaterThan(0.1 * GIBIBYTE);
    expect(Math.max(...anonymous) - Math.min(...anonymous)).toBeLessThan(0.4 * GIBIBYTE);
    expect(Math.max(...steps)).toBeLessThan(0.02 * GIBIBYTE);
  });

  it("starts to swap when headroom is gone, cold copies in a runner first, and everything slows down", () => {
    const { machine, advance, hold } = machineWith([runner(7, { anonymous: 11, promptCache: 4 })]);
    machine.read();
    expect(machine.slowdown()).toBe(1);
    hold([runner(7, { anonymous: 12.6, promptCache: 5.6 })]);
    advance(1);
    const first = machine.read();
    expect(first.headroomBytes).toBeLessThan(0);
    expect(first.swapOutBytesPerSecond).toBeGreaterThan(2 ** 20);
    expect(first.pressureSomeRatio).toBeGreaterThan(0.03);
    expect(first.kswapdScanPerSecond).toBeGreaterThan(0);
    expect(first.runners[0]?.swappedBytes).toBeGreaterThan(0);
    expect(machine.slowdown()).toBeGreaterThan(1.2);
    for (let second = 0; second < 60; second += 1) {
      advance(1);
      machine.read();
    }
    const later = machine.read();
    expect(later.swapUsedBytes).toBeGreaterThan(0.3 * GIBIBYTE);
    expect(Math.abs(later.headroomBytes ?? 0)).toBeLessThan(0.1 * GIBIBYTE);
    const { anonymousBytes = 0, swappedBytes = 0 } = later.runners[0] ?? {};
    expect((anonymousBytes + swappedBytes) / GIBIBYTE).toBeCloseTo(12.6, 3);
  });

  it("recovers when the runner ends: its swap is gone at once, most of the rest comes back", () => {
    const { machine, advance, hold } = machineWith([runner(7, { anonymous: 13.4, promptCache: 6 })]);
    for (let second = 0; second < 40; second += 1) {
      advance(1);
      machine.read();
    }
    const full = machine.read().swapUsedBytes ?? 0;
    hold([]);
    advance(1);
    const freed = machine.read();
    expect(freed.swapUsedBytes).toBeLessThan(full * 0.6);
    expect(freed.headroomBytes).toBeGreaterThan(10 * GIBIBYTE);
    for (let second = 0; second < 60; second += 1) {
      advance(1);
      machine.read();
    }
    const rested = machine.read();
    expect(rested.swapUsedBytes).toBeLessThanOrEqual(freed.swapUsedBytes ?? 0);
    expect(rested.swapUsedBytes).toBeLessThan(0.2 * GIBIBYTE);
    expect(machine.slowdown()).toBe(1);
  });
});
