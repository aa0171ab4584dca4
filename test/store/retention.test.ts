import type { Database } from "better-sqlite3";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { gapsBetween, retentionJobs } from "../../src/store/retention.ts";
import type { Batch } from "../../src/store/messages.ts";
import { aLoad, aSample, anEpisode, anExchange, startOfTest } from "./support/rows.ts";
import { aDatabase, aWriter, cleanUp, retention } from "./support/stores.ts";

afterEach(cleanUp);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function record(database: Database, batch: Partial<Batch>): void {
  aWriter(database)(batch);
}

/** Clears away what is too old and answers how many rows the largest transaction deleted. */
function clear(database: Database, at = startOfTest): number {
  const changes = database.prepare<[], number>("SELECT total_changes()").pluck();
  let largest = 0;
  for (const job of retentionJobs(at, retention)) {
    for (let hasMore = true; hasMore;) {
      const before = changes.get() ?? 0;
      hasMore = job(database);
      largest = Math.max(largest, (changes.get() ?? 0) - before);
    }
  }
  return largest;
}

function times(database: Database, sql: string): unknown[] {
  return database.prepare(sql).pluck().all();
}

describe("what is kept", () => {
  it("is 6 hours of raw samples, without a gap at the edge", () => {
    const database = aDatabase();
    const ages = [5 * hourMs, 6 * hourMs - 1000, 6 * hourMs, 6 * hourMs + 1, 7 * hourMs];
    record(database, { samples: ages.map((age) => aSample(startOfTest - age)) });
    clear(database);
    expect(times(database, "SELECT taken_at FROM samples ORDER BY taken_at DESC")).toEqual(
      [5 * hourMs, 6 * hourMs - 1000, 6 * hourMs].map((age) => startOfTest - age),
    );
  });

  it.each([
    [10, 7 * dayMs, 1],
    [60, 90 * dayMs, 1],
    [900, 3650 * dayMs, 2],
  ])("is roll-ups of %i s for %i ms", (seconds, keptMs, remaining) => {
    const database = aDatabase();
    const ages = [keptMs - 2 * hourMs, keptMs + 2 * hourMs];
    record(database, { samples: ages.map((age) => aSample(startOfTest - age)) });
    clear(database);
    const count = `SELECT count(*) FROM sample_rollups WHERE span_seconds = ${seconds}`;
    expect(times(database, count)).toEqual([remaining]);
  });

  it("is a year of exchanges, loads and episodes, but a week of pollers", () => {
    const database = aDatabase();
    const ages = [6 * dayMs, 8 * dayMs, 364 * dayMs, 366 * dayMs].map((age) => startOfTest - age);
    record(database, {
      exchanges: ages.flatMap((startedAt) => [
        anExchange({ startedAt }),
        anExchange({ startedAt, operation: "other" }),
      ]),
      loads: ages.map((startedAt) => aLoad({ startedAt })),
      episodes: ages.map((startedAt) => anEpisode({ startedAt, endedAt: startedAt })),
    });
    clear(database);
    expect(times(database, "SELECT started_at FROM exchanges WHERE operation = 'chat' ORDER BY seq")).toEqual(
      ages.slice(0, 3),
    );
    expect(
      times(database, "SELECT started_at FROM exchanges WHERE operation = 'other' ORDER BY seq"),
    ).toEqual(ages.slice(0, 1));
    expect(times(database, "SELECT started_at FROM loads ORDER BY seq")).toEqual(ages.slice(0, 3));
    expect(times(database, "SELECT started_at FROM episodes ORDER BY seq")).toEqual(ages.slice(0, 3));
  });

  it("is every sample from 5 min before an episode to 5 min after", () => {
    const database = aDatabase();
    const raised = startOfTest - 20 * dayMs;
    const cleared = raised + 3 * minuteMs;
    record(database, {
      episodes: [anEpisode({ startedAt: raised, endedAt: cleared })],
      samples: [
        aSample(raised - 5 * minuteMs - 1),
        aSample(raised - 5 * minuteMs),
        aSample(cleared + 5 * minuteMs - 1),
        aSample(cleared + 5 * minuteMs),
      ],
    });
    clear(database);
    expect(times(database, "SELECT taken_at FROM samples")).toEqual([
      raised - 5 * minuteMs,
      cleared + 5 * minuteMs - 1,
    ]);
  });

  it("does not grow for ever because of an episode that nobody ended", () => {
    const database = aDatabase();
    const raised = startOfTest - 20 * dayMs;
    record(database, {
      episodes: [anEpisode({ startedAt: raised })],
      samples: [aSample(raised + 23 * hourMs), aSample(raised + 25 * hourMs)],
    });
    clear(database);
    expect(times(database, "SELECT taken_at FROM samples")).toEqual([raised + 23 * hourMs]);
  });
});

it("deletes at most 200 rows in a transaction", () => {
  const database = aDatabase();
  const old = startOfTest - 400 * dayMs;
  record(database, {
    exchanges: Array.from({ length: 1201 }, () => anExchange({ startedAt: old })),
    samples: Array.from({ length: 1201 }, (_, index) => aSample(old + index * 1000)),
  });
  expect(clear(database)).toBe(200);
  expect(times(database, "SELECT count(*) FROM exchanges UNION ALL SELECT count(*) FROM samples")).toEqual([
    0, 0,
  ]);
});

it("finds the stretches between windows exactly, however they overlap", () => {
  const windows = fc
    .array(
      fc
        .tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 20 }))
        .map(([from, length]) => ({ from, to: from + length })),
      { maxLength: 8 },
    )
    .map((list) => list.toSorted((a, b) => a.from - b.from));
  fc.assert(
    fc.property(windows, fc.integer({ min: -60, max: 80 }), (list, end) => {
      const gaps = gapsBetween(list, end);
      for (let time = -70; time < 90; time += 1) {
        const isFree = time < end && !list.some(({ from, to }) => time >= from && time < to);
        expect(gaps.filter(({ from, to }) => time >= from && time < to)).toHaveLength(isFree ? 1 : 0);
      }
    }),
  );
});
