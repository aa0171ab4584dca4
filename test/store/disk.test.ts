import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/store/api.ts";
import { aSample, anExchange, startOfTest } from "./support/rows.ts";
import { aDirectory, aProcess, aStore, cleanUp, readRecord, until } from "./support/stores.ts";

afterEach(cleanUp);

function stateOf(store: Store): string {
  return store.health().state;
}

describe("a full disk", () => {
  it("stalls recording, keeps the newest rows, counts the rest, and is survived without help", async () => {
    const dataDir = aDirectory();
    const store = await aStore({ dataDir, queueLimit: 300, pragmas: ["max_page_count = 60"] });
    const path = "/".padEnd(1000, "x");
    for (let row = 0; row < 290; row += 1) store.saveExchange(anExchange({ id: `${row}`, path }));
    await until(() => stateOf(store) === "stalled");
    expect(store.health().problem).toContain(dataDir);
    expect(store.health().problem).toContain("full");
    const written = (await store.exchanges({ limit: 1000 })).exchanges.length;

    for (let row = 290; row < 1000; row += 1) store.saveExchange(anExchange({ id: `${row}`, path: "/" }));
    expect(store.health()).toMatchObject({ state: "stalled", pending: 300, dropped: 700 - written });

    await store.forget({ all: true });
    await until(() => stateOf(store) === "on");
    expect(await store.flush(5000)).toBe(true);
    const { exchanges } = await store.exchanges({ limit: 1000 });
    expect(exchanges.map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 300 }, (_, index) => 999 - index),
    );
    expect(store.health()).toEqual({ state: "on", pending: 0, dropped: 700 - written });
  });
});

describe("a disk that does not answer", () => {
  it("delays nobody but the recorder, is said within 3 s, and costs no row", async () => {
    const dataDir = aDirectory();
    const store = await aStore({ dataDir, pragmas: ["busy_timeout = 20000"] });
    const other = await aProcess("holdLocked.ts", [join(dataDir, "plimsoll.db")]);
    let longestPauseMs = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longestPauseMs = Math.max(longestPauseMs, performance.now() - last);
      last = performance.now();
      store.saveExchange(anExchange());
    }, 5);

    const begun = performance.now();
    await until(() => stateOf(store) === "stalled");
    expect(performance.now() - begun).toBeLessThan(3500);
    expect(store.health().problem).toMatch(/has not answered for \d+ s/);
    await expect(store.exchanges({})).rejects.toThrow("has not answered");
    clearInterval(ticking);
    // The thread is stuck for seconds; what the main thread feels is timer jitter of a busy machine.
    expect(longestPauseMs).toBeLessThan(500);

    const { pending } = store.health();
    expect(pending).toBeGreaterThan(100);
    other.stdin?.end();
    await until(() => stateOf(store) === "on");
    expect(await store.flush(5000)).toBe(true);
    expect(readRecord(dataDir, "SELECT count(*) AS n FROM exchanges")).toEqual([{ n: pending }]);
    expect(store.health()).toEqual({ state: "on", pending: 0, dropped: 0 });
  });

  it("because another program holds the record says so, and goes on when it is let go", async () => {
    const dataDir = aDirectory();
    const store = await aStore({ dataDir });
    const other = await aProcess("holdLocked.ts", [join(dataDir, "plimsoll.db")]);
    store.saveExchange(anExchange({ id: "kept" }));
    await until(() => store.health().problem?.includes("Another program") ?? false);
    expect(stateOf(store)).toBe("stalled");
    other.stdin?.end();
    await until(() => stateOf(store) === "on");
    expect(await store.exchange("kept")).toMatchObject({ id: "kept" });
  });
});

describe("a data directory that cannot be used", () => {
  it.runIf(process.platform === "linux")("(where no directory can be made) is known at once", async () => {
    const store = await aStore({ dataDir: "/proc/plimsoll/sub" });
    expect(stateOf(store)).toBe("off");
    expect(store.health().problem).toContain("/proc/plimsoll/sub");
    await store.close();
  });

  it.each([
    ["below a file", (dataDir: string) => writeFileSync(dataDir, "")],
    [
      "whose database is a directory",
      (dataDir: string) => mkdirSync(join(dataDir, "sub", "plimsoll.db"), { recursive: true }),
    ],
  ])("(%s) turns recording off, says why, and is no reason to fail", async (_, spoil) => {
    const parent = join(aDirectory(), "parent");
    spoil(parent);
    const dataDir = join(parent, "sub");
    const store = await aStore({ dataDir });
    expect(stateOf(store)).toBe("off");
    expect(store.health().problem).toContain(dataDir);
    store.saveExchange(anExchange());
    store.saveSample(aSample(startOfTest));
    expect(store.health()).toMatchObject({ pending: 0, dropped: 0 });
    expect(await store.exchanges({})).toEqual({ exchanges: [] });
    expect(await store.exchange("any")).toBeUndefined();
    expect(await store.samples({})).toEqual([]);
    expect(await store.loads({})).toEqual({ loads: [] });
    expect(await store.episodes({})).toEqual({ episodes: [] });
    expect(await store.setting("salt")).toBeUndefined();
    await store.saveSetting("salt", "x");
    await expect(store.forget({ all: true })).rejects.toThrow(dataDir);
    expect(await store.flush(100)).toBe(true);
    await store.close();
  });
});

describe("a data directory that goes away while running", () => {
  it("is made anew, and that is said", async () => {
    const dataDir = join(aDirectory(), "data");
    const store = await aStore({ dataDir });
    store.saveExchange(anExchange({ id: "before" }));
    await store.flush(1000);
    rmSync(dataDir, { recursive: true });
    store.saveExchange(anExchange({ id: "after" }));
    expect(await store.flush(5000)).toBe(true);
    expect(readRecord(dataDir, "SELECT id FROM exchanges")).toEqual([{ id: "after" }]);
    expect(store.health()).toMatchObject({ state: "on", dropped: 0 });
    expect(store.health().problem).toContain("was removed or replaced");
    await expect(aStore({ dataDir })).rejects.toThrow("recording in");
  });

  it("turns recording off where it cannot be made anew", async () => {
    const parent = join(aDirectory(), "parent");
    const store = await aStore({ dataDir: join(parent, "data") });
    rmSync(parent, { recursive: true });
    writeFileSync(parent, "");
    store.saveExchange(anExchange());
    expect(await store.flush(5000)).toBe(false);
    expect(store.health()).toMatchObject({ state: "off", pending: 0, dropped: 1 });
  });

  it("is picked up again where somebody put an older record in its place", async () => {
    const dataDir = aDirectory();
    const first = await aStore({ dataDir });
    first.saveExchange(anExchange({ id: "saved copy" }));
    await first.close();
    const copy = join(aDirectory(), "copy.db");
    renameSync(join(dataDir, "plimsoll.db"), copy);

    const store = await aStore({ dataDir });
    store.saveExchange(anExchange({ id: "replaced" }));
    await store.flush(1000);
    renameSync(copy, join(dataDir, "plimsoll.db"));
    store.saveExchange(anExchange({ id: "after" }));
    expect(await store.flush(5000)).toBe(true);
    const { exchanges } = await store.exchanges({});
    expect(exchanges.map(({ id }) => id)).toEqual(["after", "saved copy"]);
    expect(readdirSync(dataDir).filter((name) => name.includes("damaged"))).toEqual([]);
  });
});
