import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { ExchangeQuery, Store } from "../../src/store/api.ts";
import { exchanges, loads, samplesAt } from "./support/arbitraries.ts";
import { aLoad, aSample, anEpisode, anExchange, startOfTest } from "./support/rows.ts";
import { aDirectory, aStore, cleanUp, readRecord } from "./support/stores.ts";

afterEach(cleanUp);

const dayMs = 86_400_000;

async function idsOf(store: Store, query: ExchangeQuery = {}): Promise<string[]> {
  return (await store.exchanges(query)).exchanges.map(({ id }) => id);
}

describe("what was saved", () => {
  it("comes back through the thread and the file as it was", async () => {
    // Readings of some hours ago would come back rolled up.
    const now = (): number => startOfTest + 1_000_001;
    const store = await aStore({ dataDir: aDirectory(), now });
    const near = fc.integer({ min: startOfTest, max: startOfTest + 1_000_000 });
    const sampleLists = fc.uniqueArray(samplesAt(near), {
      selector: ({ takenAt }) => takenAt,
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(exchanges, loads, sampleLists, async (exchange, load, samples) => {
        await store.forget({ all: true });
        store.saveExchange(exchange);
        store.saveLoad(load);
        for (const sample of samples) store.saveSample(sample);
        expect(await store.exchange(exchange.id)).toStrictEqual(exchange);
        expect(await store.loads({})).toStrictEqual({ loads: [load] });
        const series = await store.samples({ from: startOfTest, to: startOfTest + 1_000_001 });
        expect(series).toStrictEqual(samples.toSorted((a, b) => a.takenAt - b.takenAt));
      }),
      { numRuns: 20 },
    );
  });

  it("last under an id is what is kept", async () => {
    const store = await aStore();
    store.saveExchange(anExchange({ id: "a", state: { phase: "waiting" } }));
    await store.flush(1000);
    store.saveExchange(anExchange({ id: "a", state: { phase: "cancelled", endedAt: startOfTest } }));
    const load = aLoad();
    store.saveLoad(load);
    await store.flush(1000);
    store.saveLoad({ ...load, unloadedAt: startOfTest });
    expect((await store.exchanges({})).exchanges.map(({ state }) => state.phase)).toEqual(["cancelled"]);
    expect((await store.loads({})).loads.map(({ unloadedAt }) => unloadedAt)).toEqual([startOfTest]);
  });

  it("is there after a new start, settings too", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    first.saveExchange(anExchange({ id: "a" }));
    first.saveEpisode(anEpisode({ id: "e", causes: [{ name: "tiny", bytes: 5 }] }));
    await first.saveSetting("salt", "first");
    await first.saveSetting("salt", "second");
    await first.close();
    const second = await aStore({ dataDir });
    expect(await idsOf(second)).toEqual(["a"]);
    expect((await second.episodes({})).episodes).toMatchObject([
      { id: "e", causes: [{ name: "tiny", bytes: 5 }] },
    ]);
    expect(await second.setting("salt")).toBe("second");
    expect(await second.setting("pepper")).toBeUndefined();
  });

  it("in memory leaves no file and is no problem", async () => {
    const store = await aStore({ dataDir: ":memory:" });
    store.saveExchange(anExchange({ id: "a" }));
    expect(await idsOf(store)).toEqual(["a"]);
    expect(store.health()).toEqual({ state: "memory", pending: 0, dropped: 0 });
  });
});

describe("a list of exchanges", () => {
  const rows = [
    anExchange({ id: "1", model: "tiny", conversationId: "c", client: { name: "curl" } }),
    anExchange({ id: "2", model: "tiny", operation: "embed" }),
    anExchange({ id: "3", model: "large", client: { name: "curl" } }),
    anExchange({ id: "4", state: { phase: "failed", endedAt: 1, error: { code: "x", message: "y" } } }),
    anExchange({ id: "5", model: "tiny", conversationId: "c" }),
  ];

  it.each<[ExchangeQuery, string[]]>([
    [{}, ["5", "4", "3", "2", "1"]],
    [{ model: "tiny" }, ["5", "2", "1"]],
    [{ conversation: "c" }, ["5", "1"]],
    [{ client: "curl" }, ["3", "1"]],
    [{ phase: "failed" }, ["4"]],
    [{ operation: "embed" }, ["2"]],
    [{ model: "tiny", client: "curl" }, ["1"]],
    [{ model: "tiny", limit: 2 }, ["5", "2"]],
    [{ model: "none" }, []],
    [{ limit: 0 }, ["5"]],
  ])("for %j is newest first: %j", async (query, ids) => {
    const store = await aStore();
    for (const row of rows) store.saveExchange(row);
    expect(await idsOf(store, query)).toEqual(ids);
  });

  it("is paged without a gap or a repeat while new ones arrive", async () => {
    const store = await aStore();
    for (let row = 0; row < 25; row += 1) store.saveExchange(anExchange({ id: `${row}` }));
    const seen: string[] = [];
    let before: string | undefined;
    do {
      const page = await store.exchanges({ limit: 10, ...(before !== undefined && { before }) });
      seen.push(...page.exchanges.map(({ id }) => id));
      before = page.next;
      store.saveExchange(anExchange());
    } while (before !== undefined);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `${24 - index}`));
  });

  it("keeps its order and its cursors when the clock is set back a day", async () => {
    const store = await aStore();
    for (let row = 0; row < 4; row += 1)
      store.saveExchange(anExchange({ id: `${row}`, startedAt: startOfTest + row }));
    const first = await store.exchanges({ limit: 2 });
    for (let row = 4; row < 6; row += 1) {
      store.saveExchange(anExchange({ id: `${row}`, startedAt: startOfTest - dayMs + row }));
    }
    expect(await idsOf(store)).toEqual(["5", "4", "3", "2", "1", "0"]);
    const { next } = first;
    expect(await idsOf(store, { ...(next !== undefined && { before: next }) })).toEqual(["1", "0"]);
  });

  it.each(["", "abc", "-1", "1.5", "1e3", "9".repeat(30)])("refuses %j as a cursor", async (before) => {
    const store = await aStore();
    await expect(store.exchanges({ before })).rejects.toThrow(RangeError);
    await expect(store.loads({ before })).rejects.toThrow(RangeError);
  });
});

it("keeps both days of samples when the clock is set back, and rolls them up", async () => {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir, now: () => startOfTest });
  store.saveSample(aSample(startOfTest, { headroomBytes: 10 }));
  store.saveSample(aSample(startOfTest - dayMs, { headroomBytes: 30 }));
  store.saveSample(aSample(startOfTest + 1, { headroomBytes: 20 }));
  await store.flush(1000);
  const rollups = readRecord(
    dataDir,
    "SELECT taken_at AS at, sample_count AS n, headroom_bytes AS mean, min_headroom_bytes AS low FROM sample_rollups WHERE span_seconds = 10 ORDER BY seq",
  );
  expect(rollups).toEqual([
    { at: startOfTest, n: 2, mean: 15, low: 10 },
    { at: startOfTest - dayMs, n: 1, mean: 30, low: 30 },
  ]);
});

it("counts a sample that is saved twice once", async () => {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir });
  for (let again = 0; again < 3; again += 1) {
    store.saveSample(aSample(startOfTest, { headroomBytes: 10 }));
    await store.flush(1000);
  }
  expect(readRecord(dataDir, "SELECT DISTINCT sample_count AS n FROM sample_rollups")).toEqual([{ n: 1 }]);
});

describe("closing", () => {
  it("writes what is queued, ends the thread and leaves one whole file", async () => {
    const dataDir = aDirectory();
    const store = await aStore({ dataDir });
    for (let row = 0; row < 1000; row += 1) store.saveExchange(anExchange());
    store.saveSample(aSample(startOfTest));
    await store.close();
    expect(readRecord(dataDir, "SELECT count(*) AS n FROM exchanges")).toEqual([{ n: 1000 }]);
    expect(readRecord(dataDir, "SELECT count(*) AS n FROM samples")).toEqual([{ n: 1 }]);
    expect(store.health()).toMatchObject({ state: "off", pending: 0, dropped: 0 });
  });

  it("twice is closing once, and nothing is taken afterwards", async () => {
    const store = await aStore();
    await Promise.all([store.close(), store.close()]);
    store.saveExchange(anExchange());
    expect(store.health().pending).toBe(0);
    expect(await store.exchanges({})).toEqual({ exchanges: [] });
  });
});
