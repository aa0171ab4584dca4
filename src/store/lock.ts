import { rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { StoreRefusal } from "./refusal.ts";
import { codeOf } from "./failures.ts";

/** How long to wait for an instance that is just ending. A second instance must be refused within 2 s. */
const patienceMs = 500;

/**
 * Takes the data directory for this process and answers the function that gives it back.
 *
 * The lock is an open write transaction on a small database of its own: the operating system drops it with the
 * process however that ends, and no stale file can lock anyone out. A reserved lock rather than an exclusive one,
 * because others may still read who holds it. Nothing in this process may open the file in any other way: closing
 * any descriptor of it would drop the POSIX locks of them all.
 *
 * @throws StoreRefusal `locked` when another instance holds it.
 */
export function acquireLock(file: string, holder: number): () => void {
  try {
    return hold(file, holder);
  } catch (error) {
    const code = codeOf(error);
    if (code === "SQLITE_BUSY") throw refusal(dirname(file), readHolder(file));
    // Nobody can hold a lock on what SQLite cannot read, so nobody loses one.
    if (code !== "SQLITE_NOTADB" && code !== "SQLITE_CORRUPT") throw error;
    rmSync(file, { force: true });
    return hold(file, holder);
  }
}

function hold(file: string, holder: number): () => void {
  const database = new Database(file, { timeout: patienceMs });
  try {
    signHolder(database, holder);
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    database.close();
    throw error;
  }
  return () => database.close();
}

function signHolder(database: Database.Database, holder: number): void {
  try {
    database.exec("BEGIN IMMEDIATE");
    database.exec("CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL) STRICT; DELETE FROM holder;");
    database.prepare("INSERT INTO holder (pid) VALUES (?)").run(holder);
    database.exec("COMMIT");
  } catch (error) {
    // A full disk keeps the signature off it, but it can still lock.
    if (codeOf(error) !== "SQLITE_FULL") throw error;
    if (database.inTransaction) database.exec("ROLLBACK");
  }
}

function readHolder(file: string): number | undefined {
  try {
    const database = new Database(file, { readonly: true, timeout: patienceMs });
    try {
      const pid: unknown = database.prepare("SELECT pid FROM holder").pluck().get();
      return typeof pid === "number" ? pid : undefined;
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

function refusal(dataDir: string, pid: number | undefined): StoreRefusal {
  const who = pid === undefined ? "Another Plimsoll" : `Another Plimsoll (process ${pid})`;
  return new StoreRefusal(
    "locked",
    `${who} is recording in ${dataDir}. Stop it, or give this one a directory of its own with --data-dir or PLIMSOLL_DATA_DIR.`,
  );
}
