import { expect, it } from "vitest";
import { watchClock } from "../../src/store/clockWatch.ts";

const minuteMs = 60_000;

it.each([
  ["a year ahead", 365 * 24 * 60 * minuteMs],
  ["a day back", -24 * 60 * minuteMs],
])("deletes nothing for ten minutes after the clock is set %s", (_, jumpMs) => {
  let elapsed = 0;
  let jumped = 0;
  const clock = watchClock(
    () => 1_000_000 + elapsed + jumped,
    () => elapsed,
  );
  const steady: boolean[] = [];
  for (let minute = 0; minute < 15; minute += 1) {
    elapsed += minuteMs;
    if (minute === 2) jumped = jumpMs;
    steady.push(clock.isSteady());
  }
  expect(steady.indexOf(false)).toBe(2);
  expect(steady.lastIndexOf(false)).toBe(11);
});

it("does not mind a clock that is corrected by seconds", () => {
  let elapsed = 0;
  const clock = watchClock(
    () => elapsed * 1.01,
    () => elapsed,
  );
  for (let minute = 0; minute < 100; minute += 1) {
    elapsed += minuteMs;
    expect(clock.isSteady()).toBe(true);
  }
});
