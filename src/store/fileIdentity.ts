import { rmSync, statSync } from "node:fs";
import { codeOf } from "./failures.ts";

/** Which files lie under the names of a database. An empty string stands for none. */
export interface FileSet {
  database: string;
  log: string;
  index: string;
}

/** Tells a file from another that took its name. */
export function identityOf(file: string): string {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return "";
    throw error;
  }
}

/** The files of an open database. */
export function filesOf(database: string): FileSet {
  return {
    database: identityOf(database),
    log: identityOf(`${database}-wal`),
    index: identityOf(`${database}-shm`),
  };
}

/**
 * Removes the log and its index that a replaced database left behind. SQLite cannot tell whose log it finds: it would
 * write the old pages into the file that somebody put there. Those that came with the new file stay.
 */
export function removeLeftLog(database: string, left: FileSet): void {
  for (const [file, identity] of [
    [`${database}-wal`, left.log],
    [`${database}-shm`, left.index],
  ] as const) {
    if (identity !== "" && identityOf(file) === identity) rmSync(file, { force: true });
  }
}
