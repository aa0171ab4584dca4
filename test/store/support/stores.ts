/** Recorders in directories of their own, closed and removed after each test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import type { RetentionSettings, Store, StoreOptions } from "../../../src/store/api.ts";
import { openStore } from "../../../src/store/client.ts";
import type { Batch } from "../../../src/store/messages.ts";
import { readMigrations } from "../../../src/store/migrate.ts";
import { openDatabase } from "../../../src/store/open.ts";
import { createWriter } from "../../../src/store/writes.ts";
import type { Log } from "../../../src/types.ts";

export const migrationsDir = fileURLToPath(new URL("../../../migrations", import.meta.url));

export const retention: RetentionSettings = {
  rawSampleHours: 6,
  tenSecondSampleDays: 7,
  minuteSampleDays: 90,
  exchangeDays: 365,
  otherExchangeDays: 7,
};

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

const toUndo: (() => unknown)[] = [];

/** Undoes what the tests of one case started, newest first. */
export async function cleanUp(): Promise<void> {
  for (const undo of toUndo.splice(0).toReversed()) await undo();
}

export function aDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "plimsoll-store-"));
  toUndo.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A recorder on the real clock, in memory unless told. */
export async function aStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore({
    dataDir: ":memory:",
    now: () => Date.now(),
    monotonic: () => performance.now(),
    log: silentLog,
    retention,
    ...options,
  });
  toUndo.push(() => store.close());
  return store;
}

/** The current schema, in memory unless told, without a thread. */
export function aDatabase(file = ":memory:"): Database.Database {
  const migrations = readMigrations(migrationsDir);
  const database = openDatabase(file, { migrations, pragmas: [], begin: (opened) => opened });
  toUndo.push(() => database.close());
  return database;
}

/** Writes a batch straight into a database; why rows were left out is added to `reasons`. */
export function aWriter(
  database: Database.Database,
  reasons: string[] = [],
): (batch: Partial<Batch>) => number {
  const write = createWriter(database, (reason) => reasons.push(reason));
  return (batch) =>
    write({ exchanges: [], samples: [], loads: [], episodes: [], conversations: [], ...batch });
}

/** The record as another program sees it. */
export function readRecord<T>(directory: string, sql: string): T[] {
  const database = new Database(join(directory, "plimsoll.db"), { readonly: true });
  try {
    return database.prepare<[], T>(sql).all();
  } finally {
    database.close();
  }
}

/** Every byte of a directory's files as one string, to search for what must not be there. */
export function bytesOf(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), "latin1"))
    .join("\n");
}

/** Runs a script of this folder as a process of its own and waits for its first line. */
export async function aProcess(
  script: string,
  args: readonly string[],
): Promise<ChildProcess & { said: string }> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  toUndo.push(() => {
    child.kill("SIGKILL");
    return ended;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return Object.assign(child, { said: line });
}

/** Waits until `holds` says yes, at most `limitMs`. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not so within ${limitMs} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
