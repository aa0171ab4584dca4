import { once } from "node:events";
import { closeSync, openSync, readFileSync, readdirSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { aSample, anExchange, startOfTest } from "./support/rows.ts";
import { aDirectory, aProcess, aStore, cleanUp, until } from "./support/stores.ts";

afterEach(cleanUp);

async function aRecord(rows = 200): Promise<string> {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir });
  for (let row = 0; row < rows; row += 1) store.saveExchange(anExchange({ id: `old-${row}` }));
  await store.close();
  return dataDir;
}

/** Overwrites a part of the file, as a failing disk would. */
function scribble(file: string, from: number, to: number): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
  closeSync(descriptor);
}

function setAside(dataDir: string): string[] {
  return readdirSync(dataDir).filter((name) => name.startsWith("plimsoll.db.damaged-"));
}

describe("a damaged record at the start", () => {
  it.each([
    ["is no database", (file: string) => writeFileSync(file, "once upon a time ".repeat(1000))],
    ["is shorter than a header", (file: string) => writeFileSync(file, "short")],
    ["has its first page overwritten", (file: string) => scribble(file, 0, 4096)],
    ["has a page in the middle overwritten", (file: string) => scribble(file, 3 * 4096, 6 * 4096)],
    ["lost its second half", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 20_000))],
  ])("that %s is set aside, and recording begins anew and says so", async (_, damage) => {
    const dataDir = await aRecord();
    const file = join(dataDir, "plimsoll.db");
    damage(file);
    const bytes = readFileSync(file);

    const store = await aStore({ dataDir, now: () => startOfTest });
    expect(store.health().state).toBe("on");
    expect(store.health().problem).toContain("was set aside as plimsoll.db.damaged-20261121T120000000Z");
    expect(setAside(dataDir)).toEqual(["plimsoll.db.damaged-20261121T120000000Z"]);
    expect(readFileSync(join(dataDir, setAside(dataDir)[0] ?? "")).equals(bytes)).toBe(true);

    store.saveExchange(anExchange({ id: "new" }));
    expect((await store.exchanges({})).exchanges.map(({ id }) => id)).toEqual(["new"]);
  });

  it("takes its log along, and no earlier one is overwritten in the same moment", async () => {
    const dataDir = aDirectory();
    const process = await aProcess("saveAndWait.ts", [dataDir]);
    await until(() => statSync(join(dataDir, "plimsoll.db-wal")).size > 0);
    process.kill("SIGKILL");
    await once(process, "exit");
    for (const _ of [1, 2]) {
      writeFileSync(join(dataDir, "plimsoll.db"), "x".repeat(5000));
      const store = await aStore({ dataDir, now: () => startOfTest });
      expect(store.health().state).toBe("on");
      await store.close();
    }
    const stem = "plimsoll.db.damaged-20261121T120000000Z";
    expect(setAside(dataDir)).toEqual(expect.arrayContaining([stem, `${stem}-wal`, `${stem}-2`]));
  });

  it("of another program is set aside too, not written into", async () => {
    const dataDir = aDirectory();
    const other = new Database(join(dataDir, "plimsoll.db"));
    other.exec("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')");
    other.close();
    const store = await aStore({ dataDir });
    expect(store.health().problem).toContain("belongs to another program");
    const kept = new Database(join(dataDir, setAside(dataDir)[0] ?? ""), { readonly: true });
    expect(kept.prepare("SELECT name FROM recipes").pluck().get()).toBe("soup");
    kept.close();
  });
});

describe("a record that is damaged while running", () => {
  it("is set aside, and recording goes on in a new one without losing what comes", async () => {
    const dataDir = await aRecord(2000);
    const store = await aStore({ dataDir, pragmas: ["cache_size = 1"] });
    scribble(join(dataDir, "plimsoll.db"), 0, statSync(join(dataDir, "plimsoll.db")).size);
    store.saveExchange(anExchange({ id: "new" }));
    await until(async () => (await store.exchanges({})).exchanges.length === 1);
    expect(store.health()).toMatchObject({ state: "on", dropped: 0 });
    expect(store.health().problem).toContain("was damaged");
    expect((await store.exchanges({})).exchanges.map(({ id }) => id)).toEqual(["new"]);
    expect(setAside(dataDir).length).toBeGreaterThan(0);
  });

  it("again and again stops recording, instead of filling the disk with damaged files", async () => {
    const dataDir = await aRecord(2000);
    const store = await aStore({ dataDir, pragmas: ["cache_size = 1"] });
    const file = join(dataDir, "plimsoll.db");
    for (let round = 0; store.health().state !== "off" && round < 20; round += 1) {
      for (let row = 0; row < 500; row += 1)
        store.saveSample(aSample(startOfTest + round * 1_000_000 + row * 1000));
      await store.flush(2000);
      scribble(file, 0, statSync(file).size);
      await store.exchanges({}).catch(() => undefined);
      await store.samples({ from: startOfTest, to: startOfTest + 1e9 }).catch(() => undefined);
    }
    expect(store.health().state).toBe("off");
    expect(store.health().problem).toContain("Check the disk");
    expect(setAside(dataDir).filter((name) => !name.endsWith("-wal") && !name.endsWith("-shm"))).toHaveLength(
      3,
    );
  });
});
