import { describe, expect, it } from "vitest";
import { BadParameter, integer, moment, oneOf, readQuery, text } from "../../src/dashboard/parameters.ts";

const readers = {
  limit: integer(1, 1000),
  from: moment(),
  phase: oneOf(["waiting", "failed"]),
  model: text(20),
};
const read = (query: string) => readQuery(`http://x/plimsoll/api/exchanges?${query}`, readers);

describe("readQuery", () => {
  it("reads each parameter by its own reader and leaves out what is absent or empty", () => {
    expect(read("limit=5&phase=failed&model=")).toEqual({ limit: 5, phase: "failed" });
    expect(read("")).toEqual({});
  });

  it.each(["0", "1001", "-1", "1.5", "1e2", "abc", "0x10", " 5", "99999999999999999999"])(
    "refuses limit=%s and says what it must be",
    (value) => {
      expect(() => read(`limit=${encodeURIComponent(value)}`)).toThrow(BadParameter);
      expect(() => read(`limit=${encodeURIComponent(value)}`)).toThrow(
        `Parameter "limit" is "${value}"; it must be a whole number from 1 to 1000.`,
      );
    },
  );

  it("names the words a closed list allows", () => {
    expect(() => read("phase=done")).toThrow(
      'Parameter "phase" is "done"; it must be one of waiting, failed.',
    );
  });

  it("refuses a time that is not epoch milliseconds", () => {
    expect(() => read("from=2026-01-01")).toThrow(/milliseconds since 1970/);
    expect(read("from=1767225600000")).toEqual({ from: 1_767_225_600_000 });
  });

  it("refuses an unknown parameter, because a misspelt filter would filter nothing", () => {
    expect(() => read("modle=x")).toThrow(
      'Unknown parameter "modle". This path knows: limit, from, phase, model.',
    );
    expect(() => read("constructor=x")).toThrow(/Unknown parameter/);
    expect(() => read("__proto__=x")).toThrow(/Unknown parameter/);
  });

  it("refuses a parameter given twice", () => {
    expect(() => read("limit=1&limit=2")).toThrow(/given twice/);
  });

  it("refuses text that is too long and does not repeat all of it", () => {
    const long = "x".repeat(5000);
    expect(() => read(`model=${long}`)).toThrow(/at most 20 characters/);
    expect(() => read(`model=${long}`)).toThrow(/^.{0,250}$/);
  });
});
