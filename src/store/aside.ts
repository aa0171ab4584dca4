import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";

/** How long one statement waits for the instance that is writing. */
const busyTimeoutMs = 2000;

/**
 * Sets one value of a record that another process has open: one short transaction through a connection of its own,
 * which SQLite lets in between two of the other's. Throws when there is no record or it cannot be written.
 */
export function saveSettingAside(dataDir: string, key: string, value: string): void {
  const file = join(dataDir, "plimsoll.db");
  if (!existsSync(file)) throw new Error(`there is no record in ${dataDir}: ${file} does not exist`);
  const database = new Database(file, { fileMustExist: true, timeout: busyTimeoutMs });
  try {
    database.pragma("trusted_schema = OFF");
    database
      .prepare(
        "INSERT INTO settings (key, value) VALUES (@key, @value) ON CONFLICT DO UPDATE SET value = excluded.value",
      )
      .run({ key, value });
  } finally {
    database.close();
  }
}
