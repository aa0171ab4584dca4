import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { readMigrations } from "../../src/store/migrate.ts";
import { StoreRefusal } from "../../src/store/refusal.ts";
import { anExchange } from "./support/rows.ts";
import { aDirectory, aStore, cleanUp, migrationsDir, readRecord } from "./support/stores.ts";

afterEach(cleanUp);

/** Our migrations and the given ones after them. */
function aNewerProgram(...added: string[]): string {
  const directory = join(aDirectory(), "migrations");
  mkdirSync(directory);
  const own = readdirSync(migrationsDir);
  for (const name of own) copyFileSync(join(migrationsDir, name), join(directory, name));
  for (const [index, sql] of added.entries()) {
    writeFileSync(join(directory, `${String(own.length + 1 + index).padStart(4, "0")}_added.sql`), sql);
  }
  return directory;
}

const current = readMigrations(migrationsDir).length;

async function aRecord(): Promise<string> {
  const dataDir = aDirectory();
  const store = await aStore({ dataDir });
  store.saveExchange(anExchange({ id: "old" }));
  await store.close();
  return dataDir;
}

describe("an older record", () => {
  it("is upgraded with its rows, and copied beside before", async () => {
    const dataDir = await aRecord();
    const added = aNewerProgram(
      "ALTER TABLE exchanges ADD COLUMN mood TEXT;",
      "CREATE TABLE extra (a TEXT) STRICT;",
    );
    const store = await aStore({ dataDir, migrationsDir: added });
    expect(await store.exchange("old")).toMatchObject({ id: "old" });
    await store.close();
    expect(readRecord(dataDir, "PRAGMA user_version")).toEqual([{ user_version: current + 2 }]);
    expect(readRecord(dataDir, "SELECT id, mood FROM exchanges")).toEqual([{ id: "old", mood: null }]);

    const copy = new Database(join(dataDir, `plimsoll.db.before-${current + 2}`), { readonly: true });
    expect(copy.pragma("user_version", { simple: true })).toBe(current);
    expect(copy.prepare("SELECT id FROM exchanges").pluck().all()).toEqual(["old"]);
    copy.close();
  });

  it("is left as it was by a migration that fails, and the reason is said", async () => {
    const dataDir = await aRecord();
    const broken = aNewerProgram("CREATE TABLE extra (a TEXT) STRICT; SELECT no_such_function();");
    const store = await aStore({ dataDir, migrationsDir: broken });
    expect(store.health().state).toBe("off");
    expect(store.health().problem).toContain("no_such_function");
    expect(await store.exchanges({})).toEqual({ exchanges: [] });
    await store.close();
    expect(readRecord(dataDir, "PRAGMA user_version")).toEqual([{ user_version: current }]);
    expect(readRecord(dataDir, "SELECT name FROM sqlite_schema WHERE name = 'extra'")).toEqual([]);
    expect(readRecord(dataDir, "SELECT id FROM exchanges")).toEqual([{ id: "old" }]);
  });

  it("needs no copy when it is new", async () => {
    const dataDir = await aRecord();
    expect(readdirSync(dataDir).filter((name) => name.includes("before"))).toEqual([]);
  });
});

describe("a newer record", () => {
  it("is refused with both versions, the file and the fix, and not a byte of it is touched", async () => {
    const dataDir = aDirectory();
    const newer = await aStore({
      dataDir,
      migrationsDir: aNewerProgram("CREATE TABLE extra (a TEXT) STRICT;"),
    });
    await newer.close();
    const file = join(dataDir, "plimsoll.db");
    const [bytes, { mtimeMs }] = [readFileSync(file), statSync(file)];

    const refusal: unknown = await aStore({ dataDir }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreRefusal);
    expect(refusal).toMatchObject({ code: "newer-schema" });
    const { message } = refusal as StoreRefusal;
    expect(message).toContain(file);
    expect(message).toContain(`version ${current + 1}`);
    expect(message).toContain(`up to ${current}`);
    expect(message).toContain("--data-dir");
    expect(readFileSync(file).equals(bytes)).toBe(true);
    expect(statSync(file).mtimeMs).toBe(mtimeMs);
    expect(readdirSync(dataDir).toSorted()).toEqual(["plimsoll.db", "plimsoll.lock"]);
  });
});

describe("the folder of migrations", () => {
  it.each([
    ["a number is missing", ["0001_a.sql", "0003_c.sql"], "0003_c.sql"],
    ["a number is there twice", ["0001_a.sql", "0001_b.sql"], "0001_b.sql"],
    ["it is empty", ["notes.txt"], "no migrations"],
  ])("is refused when %s", (_, names, said) => {
    const directory = aDirectory();
    for (const name of names) writeFileSync(join(directory, name), "");
    expect(() => readMigrations(directory)).toThrow(said);
  });

  it("makes only STRICT tables and signs the file as ours", async () => {
    const dataDir = await aRecord();
    expect(
      readRecord(dataDir, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict"),
    ).toEqual([{ name: "sqlite_schema" }]);
    expect(readRecord(dataDir, "PRAGMA application_id")).toEqual([{ application_id: 0x504c494d }]);
  });
});
