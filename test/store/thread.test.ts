import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RetentionSettings } from "../../src/store/api.ts";
import type { FromWorker, WorkerSettings } from "../../src/store/messages.ts";
import type { Thread } from "../../src/store/thread.ts";
import { startThread } from "../../src/store/thread.ts";
import { anExchange, startOfTest } from "./support/rows.ts";
import { aDirectory, aStore, cleanUp, migrationsDir, retention, until } from "./support/stores.ts";

afterEach(cleanUp);

describe("the thread", () => {
  const started: boolean[] = [];
  const deaths: string[] = [];
  const messages: FromWorker[] = [];
  let thread: Thread;

  beforeEach(() => {
    for (const list of [started, deaths, messages]) list.length = 0;
  });

  afterEach(() => thread.stop(1000));

  function start(settings: (firstStart: boolean) => Partial<WorkerSettings>): void {
    thread = startThread({
      settings: (firstStart) => {
        started.push(firstStart);
        return {
          dataDir: ":memory:",
          migrationsDir,
          pragmas: [],
          retention,
          at: startOfTest,
          firstStart,
          ...settings(firstStart),
        };
      },
      onMessage: (message) => messages.push(message),
      onDeath: (reason) => deaths.push(reason),
    });
  }

  it("is started again when it dies, and knows that the program did not", async () => {
    // Without a directory the worker cannot even begin.
    start((firstStart) => (firstStart ? { dataDir: undefined as unknown as string } : {}));
    await until(() => messages.length > 0);
    expect(messages).toEqual([{ type: "opened" }]);
    expect(started).toEqual([true, false]);
    expect(deaths).toHaveLength(1);
    expect(deaths[0]).toContain("path");
  });

  it("that keeps dying is started again after longer and longer pauses", async () => {
    start(() => ({ dataDir: undefined as unknown as string }));
    await until(() => deaths.length === 2);
    const begun = performance.now();
    expect(thread.post({ type: "close" })).toBe(false);
    await until(() => deaths.length === 3);
    expect(performance.now() - begun).toBeGreaterThan(800);
  });

  it("ends by message, and does not come back", async () => {
    start(() => ({}));
    await until(() => messages.length > 0);
    await thread.stop(5000);
    expect(thread.post({ type: "retain", at: 0 })).toBe(false);
    expect(deaths).toEqual([]);
  });
});

it("loses no row when its thread dies with a batch on its way", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  try {
    const dataDir = aDirectory();
    // The clean-up of the first minute fails over these, and nothing in the thread catches that.
    const store = await aStore({ dataDir, retention: undefined as unknown as RetentionSettings });
    store.saveExchange(anExchange({ id: "before", state: { phase: "waiting" } }));
    expect(await store.flush(5000)).toBe(true);
    vi.advanceTimersByTime(60_000);
    for (const id of ["a", "b", "c"]) store.saveExchange(anExchange({ id }));
    const flushed = store.flush(10_000);
    await until(() => store.health().problem?.includes("died") ?? false);
    expect(store.health()).toMatchObject({ state: "stalled", pending: 3 });
    expect(await flushed).toBe(true);
    expect(store.health()).toEqual({ state: "on", pending: 0, dropped: 0 });
    const { exchanges } = await store.exchanges({});
    expect(exchanges.map(({ id }) => id)).toEqual(["c", "b", "a", "before"]);
    // Our exchanges run on: only those of an earlier process were interrupted.
    expect(exchanges.at(-1)?.state.phase).toBe("waiting");
  } finally {
    vi.useRealTimers();
  }
});

it("says that what was kept in memory is lost when its thread dies", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  try {
    const store = await aStore({ retention: undefined as unknown as RetentionSettings });
    vi.advanceTimersByTime(60_000);
    await until(() => store.health().problem?.includes("in memory is lost") ?? false);
    await until(() => store.health().state === "memory");
  } finally {
    vi.useRealTimers();
  }
});

it("gives up a row that cannot be copied to the thread, and no other", async () => {
  const store = await aStore();
  const uncopyable = anExchange({ model: (() => "tiny") as unknown as string });
  for (const row of [anExchange({ id: "a" }), uncopyable, anExchange({ id: "b" })]) store.saveExchange(row);
  expect(await store.flush(5000)).toBe(true);
  expect((await store.exchanges({})).exchanges.map(({ id }) => id)).toEqual(["b", "a"]);
  expect(store.health()).toEqual({ state: "memory", pending: 0, dropped: 1 });
});

it("clears away what is too old every minute, while rows are written", async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  try {
    const store = await aStore({ dataDir: aDirectory(), now: () => startOfTest });
    const old = startOfTest - 400 * 86_400_000;
    for (let row = 0; row < 3000; row += 1)
      store.saveExchange(anExchange({ id: `old-${row}`, startedAt: old }));
    expect(await store.flush(10_000)).toBe(true);
    vi.advanceTimersByTime(60_000);
    store.saveExchange(anExchange({ id: "new" }));
    await until(async () => (await store.exchanges({})).exchanges.length === 1);
    expect((await store.exchanges({})).exchanges[0]?.id).toBe("new");
  } finally {
    vi.useRealTimers();
  }
});
