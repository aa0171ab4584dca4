import { closeSync, existsSync, openSync, readSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DamagedFile, codeOf } from "./failures.ts";

const companions = ["", "-wal", "-shm"];

/** `application_id` of our files, as the first migration sets it. */
const applicationId = 0x504c494d;

/**
 * The schema version in the header of a file that nobody has opened yet, so that a newer program's file can be
 * refused without a byte of it being touched. Undefined for no file, an empty one or one without a schema of ours.
 * Offsets: https://sqlite.org/fileformat2.html#the_database_header
 * @throws DamagedFile when it is not an SQLite file or another program's.
 */
export function headerVersion(file: string): number | undefined {
  const header = readHeader(file);
  if (header === undefined || header.length === 0) return undefined;
  if (header.length < 100 || header.toString("latin1", 0, 16) !== "SQLite format 3\0") {
    throw new DamagedFile("file is not a database");
  }
  const owner = header.readUInt32BE(68);
  if (owner === applicationId) return header.readUInt32BE(60);
  // Ours too, until its first migration has left the log.
  if (owner === 0) return undefined;
  throw new DamagedFile("file belongs to another program");
}

function readHeader(file: string): Buffer | undefined {
  try {
    const descriptor = openSync(file, "r");
    try {
      const header = Buffer.alloc(100);
      return header.subarray(0, readSync(descriptor, header, 0, 100, 0));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Moves a database that is not open, and its log, out of the way: `plimsoll.db.damaged-20251121T093500123Z`.
 * The log keeps the matching name, so that recovery tools find it. Answers the new name.
 */
export function setAside(file: string, at: number): string {
  const stem = `${file}.damaged-${new Date(at).toISOString().replaceAll(/[-:.]/g, "")}`;
  let aside = stem;
  for (let copy = 2; existsSync(aside); copy += 1) aside = `${stem}-${copy}`;
  for (const companion of companions) {
    if (existsSync(file + companion)) renameSync(file + companion, aside + companion);
  }
  return basename(aside);
}

/** Removes damaged files set aside and copies made before upgrades. Answers how many databases that were. */
export function removeCopies(file: string): number {
  const prefixes = [`${basename(file)}.damaged-`, `${basename(file)}.before-`];
  const names = readdirSync(dirname(file)).filter((name) =>
    prefixes.some((prefix) => name.startsWith(prefix)),
  );
  for (const name of names) rmSync(join(dirname(file), name), { force: true });
  return names.filter((name) => !name.endsWith("-wal") && !name.endsWith("-shm")).length;
}
