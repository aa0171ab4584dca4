import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { findExchange, listLoads } from "../../src/store/queries.ts";
import type { SampleRow } from "../../src/store/sampleRows.ts";
import { sampleFromRow } from "../../src/store/sampleRows.ts";
import { exchanges, loads, samples } from "./support/arbitraries.ts";
import { anExchange } from "./support/rows.ts";
import { aDatabase, aWriter, cleanUp } from "./support/stores.ts";

afterEach(cleanUp);

describe("a row read back", () => {
  it("has every field of the exchange, and no other", () => {
    const database = aDatabase();
    const write = aWriter(database);
    fc.assert(
      fc.property(exchanges, (exchange) => {
        expect(write({ exchanges: [exchange] })).toBe(0);
        expect(findExchange(database, exchange.id)).toStrictEqual(exchange);
      }),
      { numRuns: 300 },
    );
  });

  it("has every field of the sample, and no other", () => {
    const database = aDatabase();
    const write = aWriter(database);
    const find = database.prepare<[number], SampleRow>("SELECT * FROM samples WHERE taken_at = ?");
    fc.assert(
      fc.property(samples, (sample) => {
        database.exec("DELETE FROM samples");
        expect(write({ samples: [sample] })).toBe(0);
        const row = find.get(sample.takenAt);
        expect(row && sampleFromRow(row)).toStrictEqual(sample);
      }),
      { numRuns: 300 },
    );
  });

  it("has every field of the load, and no other", () => {
    const database = aDatabase();
    const write = aWriter(database);
    fc.assert(
      fc.property(loads, (load) => {
        expect(write({ loads: [load] })).toBe(0);
        expect(listLoads(database, { limit: 1 }).loads).toStrictEqual([load]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a row that SQLite would refuse", () => {
  it("is repaired where a figure is only broken", () => {
    const database = aDatabase();
    const write = aWriter(database);
    const broken = anExchange({ turn: Number.NaN, contextLength: Infinity, chunkCount: 2.5 });
    expect(write({ exchanges: [broken] })).toBe(0);
    const kept = findExchange(database, broken.id);
    expect(kept).not.toHaveProperty("turn");
    expect(kept).not.toHaveProperty("contextLength");
    expect(kept?.chunkCount).toBe(3);
  });

  it("is left out, counted and explained, and the others of its batch are written", () => {
    const database = aDatabase();
    const reasons: string[] = [];
    const write = aWriter(database, reasons);
    const [first, last] = [anExchange(), anExchange()];
    const timeless = anExchange({ startedAt: Number.NaN });
    expect(write({ exchanges: [first, timeless, last] })).toBe(1);
    expect(findExchange(database, first.id)).toStrictEqual(first);
    expect(findExchange(database, last.id)).toStrictEqual(last);
    expect(findExchange(database, timeless.id)).toBeUndefined();
    expect(reasons).toEqual([expect.stringContaining("exchanges.started_at")]);
  });

  it("is a sample without a time: no time is made up for it", () => {
    const database = aDatabase();
    const write = aWriter(database);
    const timeless = { takenAt: Number.NaN, gpus: [], runners: [], problems: [] };
    expect(write({ samples: [timeless] })).toBe(1);
    expect(database.prepare("SELECT count(*) FROM samples").pluck().get()).toBe(0);
  });
});

it("is still there when somebody broke its JSON by hand", () => {
  const database = aDatabase();
  const exchange = anExchange({ notices: [{ kind: "queued" }] });
  aWriter(database)({ exchanges: [exchange] });
  database.exec("UPDATE exchanges SET notices = '[{'");
  expect(findExchange(database, exchange.id)).toEqual({ ...exchange, notices: [] });
});

it("cuts text that a client made absurdly long", () => {
  const database = aDatabase();
  const exchange = anExchange({ path: "/".padEnd(16_000, "x"), client: { userAgent: "a".repeat(16_000) } });
  aWriter(database)({ exchanges: [exchange] });
  const kept = findExchange(database, exchange.id);
  expect(kept?.path).toBe(`${"/".padEnd(1023, "x")}…`);
  expect(kept?.client.userAgent).toHaveLength(1024);
});
