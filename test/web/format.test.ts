import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatElapsed,
  formatError,
  formatGib,
  formatHour,
  formatRate,
  formatShare,
  formatSoon,
  formatTime,
  formatWhen,
} from "../../web/format.ts";
import { gibibyte } from "./support.ts";

const mebibyte = 1024 ** 2;

describe("bytes", () => {
  it.each([
    [undefined, "–"],
    [0, "0 MiB"],
    [52 * mebibyte, "52 MiB"],
    [102 * mebibyte, "102 MiB"],
    [0.1 * gibibyte, "0.1 GiB"],
    [6.24 * gibibyte, "6.2 GiB"],
    [16 * gibibyte, "16 GiB"],
    [15.97 * gibibyte, "16.0 GiB"],
    [-1.2 * gibibyte, "-1.2 GiB"],
    [2000.4 * gibibyte, "2,000 GiB"],
  ])("%s are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("keep a whole number of GiB whole and others at one decimal", () => {
    expect(formatGib(32 * gibibyte)).toBe("32");
    expect(formatGib(31.2 * gibibyte)).toBe("31.2");
  });
});

describe("counts and rates", () => {
  it.each([
    [undefined, "–"],
    [0, "0"],
    [999, "999"],
    [131_072, "131,072"],
  ])("count %s is %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [undefined, "–"],
    [Number.POSITIVE_INFINITY, "–"],
    [0.44, "0.4"],
    [24.06, "24.1"],
    [99.94, "99.9"],
    [99.97, "100"],
    [1234.5, "1,235"],
  ])("rate %s is %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});

describe("durations", () => {
  it.each([
    [undefined, "–"],
    [0, "0 ms"],
    [420.4, "420 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [12_340, "12.3 s"],
    [59_949, "59.9 s"],
    [59_960, "1 min 00 s"],
    [64_000, "1 min 04 s"],
    [7_500_000, "2 h 05 min"],
  ])("%s ms are %s", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it("that still run count whole seconds and never start below none", () => {
    expect(formatElapsed(-500)).toBe("0 s");
    expect(formatElapsed(1999)).toBe("1 s");
    expect(formatElapsed(61_000)).toBe("1 min 01 s");
  });
});

describe("times", () => {
  const at = new Date(2026, 10, 21, 4, 3, 5).getTime();

  it("are local, 24 hours, always of the same width", () => {
    expect(formatTime(at)).toBe("04:03:05");
    expect(formatHour(at)).toBe("04:03");
  });

  it("name the day only when it is not today", () => {
    expect(formatWhen(at, at + 3_600_000)).toBe("04:03:05");
    expect(formatWhen(at, at + 24 * 3_600_000)).toBe("21 Nov 04:03");
  });
});

describe("errors and forecasts", () => {
  it("have a sign, unless they are none", () => {
    expect(formatError(0.0421)).toBe("+4.2 %");
    expect(formatError(-0.25)).toBe("−25 %");
    expect(formatError(-0.0001)).toBe("0.0 %");
    expect(formatError(undefined)).toBe("–");
    expect(formatShare(-0.31)).toBe("31 %");
  });

  it("are not told to the second", () => {
    expect(formatSoon(2)).toBe("5 s");
    expect(formatSoon(63)).toBe("65 s");
    expect(formatSoon(860)).toBe("14 min");
    expect(formatSoon(9000)).toBe("3 h");
  });
});
