import { expect, it } from "vitest";
import { createClock } from "../../src/demo/clock.ts";

it("runs at its factor, both of its faces alike", () => {
  let real = 500;
  const clock = createClock({ speed: 4, now: () => 1000, monotonic: () => real });
  expect([clock.now(), clock.monotonic()]).toEqual([1000, 500]);
  real += 250;
  expect([clock.now(), clock.monotonic()]).toEqual([2000, 1500]);
});

it("waits its own milliseconds, in steps that a timer can take", async () => {
  const waits: number[] = [];
  const clock = createClock({
    speed: 2,
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
  });
  await clock.sleep(3000);
  await clock.sleep(2 * (2 ** 31 + 9));
  expect(waits).toEqual([1500, 2 ** 31 - 1, 10]);
});

it("ends a wait when told to, and does not begin one that is over already", async () => {
  const clock = createClock();
  const leaving = new AbortController();
  const wait = clock.sleep(60_000, leaving.signal);
  leaving.abort();
  await expect(wait).rejects.toThrow();
  await expect(clock.sleep(1, leaving.signal)).rejects.toThrow();
});

it("takes no time for work when instant, but lets others have their turn", async () => {
  const clock = createClock({ instant: true });
  const order: string[] = [];
  setImmediate(() => order.push("other"));
  await clock.work(3_600_000);
  order.push("work");
  expect(order).toEqual(["other", "work"]);
});
