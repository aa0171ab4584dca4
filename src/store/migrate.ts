import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "better-sqlite3";
import { StoreRefusal } from "./refusal.ts";

/** One numbered file of SQL. */
export interface Migration {
  version: number;
  name: string;
  sql: string;
}

/**
 * The migrations of a directory, `0001_record.sql` first.
 * @throws Error when a number is missing or given twice: the schema would depend on luck.
 */
export function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .toSorted();
  if (names.length === 0) throw new Error(`There are no migrations in ${directory}. Install Plimsoll anew.`);
  return names.map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1) {
      throw new Error(`Migration ${name} in ${directory} should have number ${index + 1}.`);
    }
    return { version, name, sql: readFileSync(join(directory, name), "utf8") };
  });
}

/** The schema version of an open database. */
export function schemaVersion(database: Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

/** @throws StoreRefusal `newer-schema` when the file was written by a newer program. */
export function refuseNewer(file: string, version: number, known: number): void {
  if (version <= known) return;
  throw new StoreRefusal(
    "newer-schema",
    `${file} has schema version ${version}; this Plimsoll knows versions up to ${known}. Start the newer Plimsoll that wrote it, or choose another directory with --data-dir.`,
  );
}

/**
 * Brings the schema up to date, forward only, each step in a transaction of its own that also sets its number.
 * An existing file is first copied beside itself as `….before-<version it is upgraded to>`.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const version = schemaVersion(database);
  const pending = migrations.filter((migration) => migration.version > version);
  const last = pending.at(-1);
  if (last === undefined) return;
  if (version > 0 && !database.memory) copyBeside(database, `${database.name}.before-${last.version}`);
  for (const migration of pending) {
    const step = database.transaction(() => {
      database.exec(migration.sql);
      database.pragma(`user_version = ${migration.version}`);
    });
    step.immediate();
  }
  // The version is read from the file itself before it is opened, so it must not stay in the log beside it.
  database.pragma("wal_checkpoint(TRUNCATE)");
}

function copyBeside(database: Database, copy: string): void {
  const partial = `${copy}.partial`;
  rmSync(partial, { force: true });
  database.prepare("VACUUM INTO ?").run(partial);
  const descriptor = openSync(partial, "r+");
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(partial, copy);
}
