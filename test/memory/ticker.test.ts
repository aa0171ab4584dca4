import { beforeEach, expect, it, vi } from "vitest";

import { createTicker } from "../../src/memory/ticker.ts";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const monotonic = (): number => Date.now();

it("ticks on a grid from its start, without drifting by what each tick takes", () => {
  const startMs = Date.now();
  const ticks: number[] = [];
  const ticker = createTicker({
    intervalMs: 1000,
    monotonic,
    onTick: () => {
      ticks.push(Date.now() - startMs);
      vi.setSystemTime(Date.now() + 300); // The work takes its time.
    },
  });
  vi.advanceTimersByTime(3000);
  expect(ticks.map((tick) => Math.floor(tick / 1000))).toEqual([1, 2, 3]);
  ticker.stop();
});

it("skips what it could not keep, and is on the grid again", () => {
  const startMs = Date.now();
  const ticks: number[] = [];
  createTicker({ intervalMs: 1000, monotonic, onTick: () => ticks.push(Date.now() - startMs) });
  vi.advanceTimersByTime(1000);
  vi.setSystemTime(startMs + 4700); // A stall: the timer that was due at 2000 fires now.
  vi.advanceTimersByTime(1000);
  vi.advanceTimersByTime(300);
  expect(ticks[0]).toBe(1000);
  expect(ticks[1]).toBeGreaterThanOrEqual(4700);
  expect(ticks[2]).toBe(6000);
  expect(ticks).toHaveLength(3);
});

it("does not tick twice when a timer fires a fraction too early", () => {
  let clockMs = 0;
  let count = 0;
  createTicker({
    intervalMs: 1000,
    monotonic: () => clockMs,
    onTick: () => {
      count += 1;
    },
  });
  clockMs = 999.6;
  vi.advanceTimersByTime(1000);
  expect(count).toBe(1);
  clockMs = 1000.2;
  vi.advanceTimersByTime(1);
  expect(count).toBe(1);
  clockMs = 1999.9;
  vi.advanceTimersByTime(1000);
  expect(count).toBe(2);
});

it("changes its step at once, and stops for good", () => {
  let count = 0;
  const ticker = createTicker({ intervalMs: 1000, monotonic, onTick: () => (count += 1) });
  vi.advanceTimersByTime(500);
  ticker.setInterval(250);
  vi.advanceTimersByTime(1000);
  expect(count).toBe(4);
  ticker.stop();
  vi.advanceTimersByTime(5000);
  expect(count).toBe(4);
});
