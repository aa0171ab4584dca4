import { copyFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/store/api.ts";
import { aLoad, aSample, anEpisode, anExchange, startOfTest } from "./support/rows.ts";
import { aDirectory, aStore, bytesOf, cleanUp, readRecord } from "./support/stores.ts";

afterEach(cleanUp);

const hourMs = 3_600_000;

async function aFullStore(): Promise<{ store: Store; dataDir: string }> {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir });
  for (let hour = 0; hour < 10; hour += 1) {
    const startedAt = startOfTest + hour * hourMs;
    const conversationId = hour % 2 === 0 ? "even-conversation" : "odd-conversation";
    const path = `/marker-${hour}-${conversationId}`;
    store.saveExchange(anExchange({ id: `exchange-at-${hour}`, startedAt, conversationId, path }));
    store.saveSample(aSample(startedAt, { problems: [`marker-sample-${hour}`] }));
    store.saveLoad(aLoad({ startedAt, model: `marker-model-${hour}`, exchangeId: `exchange-at-${hour}` }));
    store.saveEpisode(anEpisode({ startedAt, causes: [{ name: `marker-cause-${hour}`, bytes: 1 }] }));
  }
  await store.saveSetting("salt", "stays");
  expect(await store.flush(5000)).toBe(true);
  return { store, dataDir };
}

describe("forgetting", () => {
  it("everything leaves no byte of any row in any file, but the settings", async () => {
    const { store, dataDir } = await aFullStore();
    expect(bytesOf(dataDir)).toContain("marker-");
    expect(await store.forget({ all: true })).toEqual({
      exchanges: 10,
      samples: 10,
      loads: 10,
      episodes: 10,
      copies: 0,
    });
    expect(bytesOf(dataDir)).not.toContain("marker-");
    expect(bytesOf(dataDir)).not.toContain("-conversation");
    expect(await store.exchanges({})).toEqual({ exchanges: [] });
    expect(await store.samples({ from: startOfTest - hourMs, to: startOfTest + 20 * hourMs })).toEqual([]);
    expect(await store.setting("salt")).toBe("stays");
  });

  it("one conversation leaves none of it, and all of the others", async () => {
    const { store, dataDir } = await aFullStore();
    expect(await store.forget({ conversationId: "odd-conversation" })).toMatchObject({
      exchanges: 5,
      samples: 0,
      loads: 0,
    });
    expect(bytesOf(dataDir)).not.toContain("odd-conversation");
    expect((await store.exchanges({})).exchanges).toHaveLength(5);
    const { loads } = await store.loads({});
    expect(loads).toHaveLength(10);
    expect(loads.map(({ exchangeId }) => exchangeId).filter((id) => id !== undefined)).toHaveLength(5);
  });

  it("what is older than a moment keeps what is newer, roll-ups included", async () => {
    const { store, dataDir } = await aFullStore();
    const beforeAt = startOfTest + 5 * hourMs;
    expect(await store.forget({ beforeAt })).toEqual({
      exchanges: 5,
      samples: 5,
      loads: 5,
      episodes: 5,
      copies: 0,
    });
    const bytes = bytesOf(dataDir);
    for (let hour = 0; hour < 10; hour += 1) {
      expect(bytes.includes(`marker-${hour}-`), `exchange ${hour}`).toBe(hour >= 5);
      expect(bytes.includes(`marker-sample-${hour}`), `sample ${hour}`).toBe(hour >= 5);
      expect(bytes.includes(`marker-model-${hour}`), `load ${hour}`).toBe(hour >= 5);
      expect(bytes.includes(`marker-cause-${hour}`), `episode ${hour}`).toBe(hour >= 5);
    }
    const oldRollups = `SELECT * FROM sample_rollups WHERE taken_at < ${beforeAt}`;
    expect(readRecord(dataDir, oldRollups)).toEqual([]);
  });

  it("gives the space back", async () => {
    const { store, dataDir } = await aFullStore();
    for (let row = 0; row < 3000; row += 1) store.saveExchange(anExchange());
    await store.flush(5000);
    await store.forget({ conversationId: "unknown" });
    const before = statSync(join(dataDir, "plimsoll.db")).size;
    await store.forget({ all: true });
    expect(statSync(join(dataDir, "plimsoll.db")).size).toBeLessThan(before / 4);
  });

  it("includes what was only queued", async () => {
    const { store, dataDir } = await aFullStore();
    store.saveExchange(anExchange({ path: "/marker-queued" }));
    expect(await store.forget({ all: true })).toMatchObject({ exchanges: 11 });
    expect(bytesOf(dataDir)).not.toContain("marker-queued");
  });

  it("includes damaged files and copies made before an upgrade", async () => {
    const { store, dataDir } = await aFullStore();
    copyFileSync(join(dataDir, "plimsoll.db"), join(dataDir, "plimsoll.db.before-1"));
    writeFileSync(join(dataDir, "plimsoll.db.damaged-20200101T000000000Z"), "marker-damaged");
    writeFileSync(join(dataDir, "plimsoll.db.damaged-20200101T000000000Z-wal"), "marker-damaged");
    expect(await store.forget({ conversationId: "odd-conversation" })).toMatchObject({ copies: 2 });
    expect(
      readdirSync(dataDir).filter((name) => name.includes("before") || name.includes("damaged")),
    ).toEqual([]);
  });

  it("says so when another program keeps the log, and succeeds once it is gone", async () => {
    const { store, dataDir } = await aFullStore();
    const reader = new Database(join(dataDir, "plimsoll.db"), { readonly: true });
    reader.exec("BEGIN");
    reader.prepare("SELECT count(*) FROM exchanges").get();
    await expect(store.forget({ all: true })).rejects.toThrow("another program has the file open");
    reader.close();
    await store.forget({ all: true });
    expect(bytesOf(dataDir)).not.toContain("marker-");
  });

  it("nothing is zero, not an error", async () => {
    const { store } = await aFullStore();
    expect(await store.forget({ conversationId: "unknown" })).toMatchObject({ exchanges: 0 });
    expect((await store.exchanges({})).exchanges).toHaveLength(10);
  });
});
