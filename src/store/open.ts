import { closeSync, openSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { headerVersion } from "./damage.ts";
import { DamagedFile } from "./failures.ts";
import type { Migration } from "./migrate.ts";
import { migrate, refuseNewer, schemaVersion } from "./migrate.ts";

/** Beyond this a check of the whole file would hold up the start for seconds. */
const fullCheckLimitBytes = 64 * 1024 * 1024;

/** How long a statement waits for another program that has the file open. */
const busyTimeoutMs = 1000;

const pragmas = [
  "journal_mode = WAL",
  // The driver's default for WAL is NORMAL, with which a power cut takes the last transactions.
  "synchronous = FULL",
  // What is deleted is overwritten: a forgotten row must not be readable in the file.
  "secure_delete = ON",
  "cache_size = -4096",
  "journal_size_limit = 16777216",
  "trusted_schema = OFF",
];

interface OpenOptions<T> {
  migrations: readonly Migration[];
  /** Run after our own, e.g. `max_page_count = 1000`. */
  pragmas: readonly string[];
  /** Makes of the database what is to be answered. The database is closed should it throw. */
  begin: (database: Database.Database) => T;
}

/**
 * Opens the record, or creates it, and brings its schema up to date. `file` may be `:memory:`.
 * @throws DamagedFile or SQLITE_CORRUPT, SQLITE_NOTADB for a file that must be set aside; StoreRefusal for a newer one.
 */
export function openDatabase<T>(file: string, options: OpenOptions<T>): T {
  const known = options.migrations.length;
  if (file !== ":memory:") {
    refuseNewer(file, headerVersion(file) ?? 0, known);
    // SQLite would let everyone read a new file; its log and index take over the mode.
    closeSync(openSync(file, "a", 0o600));
  }
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    for (const pragma of [...pragmas, ...options.pragmas]) database.pragma(pragma);
    check(database);
    refuseNewer(file, schemaVersion(database), known);
    migrate(database, options.migrations);
    return options.begin(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function check(database: Database.Database): void {
  const tables: unknown = database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get();
  if (schemaVersion(database) === 0 && tables !== 0) throw new DamagedFile("file belongs to another program");
  if (database.memory || statSync(database.name).size >= fullCheckLimitBytes) return;
  const verdict: unknown = database.pragma("quick_check(1)", { simple: true });
  if (verdict !== "ok") throw new DamagedFile(`quick_check says: ${String(verdict)}`);
}
