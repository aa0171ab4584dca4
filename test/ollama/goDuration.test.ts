import { expect, it } from "vitest";
import { parseGoDuration } from "../../src/ollama/goDuration.ts";

// Nanoseconds as Go's time.ParseDuration returned them.
it.each([
  ["5m", 300_000_000_000],
  ["1h30m", 5_400_000_000_000],
  ["1m1m", 120_000_000_000],
  ["-1s", -1_000_000_000],
  ["+5s", 5_000_000_000],
  ["1.5h", 5_400_000_000_000],
  [".5s", 500_000_000],
  ["5.s", 5_000_000_000],
  ["0", 0],
  ["-0", 0],
  ["-0s", 0],
  ["1us", 1000],
  ["1µs", 1000],
  ["1μs", 1000],
  ["10ns", 10],
  ["2562047h", 9_223_369_200_000_000_000],
])("%s is %d ns", (text, nanoseconds) => {
  expect(parseGoDuration(text)).toBeCloseTo(nanoseconds / 1e9, 9);
});

it.each(["", "5", "1d", ".s", " 5m", "5m ", "1h-30m", "--1s", "1e3s", "5M", "m", "2562048h", "Infinity"])(
  "%j is no duration, as for Go",
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);
