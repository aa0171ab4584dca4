/** What an error of SQLite or the disk means: damaged, full, locked, or ours. */
import { StoreRefusal } from "./refusal.ts";

/** The file under our name is not a database we can use: SQLite says so, or it belongs to another program. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** Nothing can be recorded as things stand, and trying again will not help. */
export class UnusableRecord extends Error {
  override readonly name = "UnusableRecord";
}

/**
 * What to do about an error of the database:
 * `damaged` set the file aside; `full` and `busy` try again later; `disk` close, then try again later;
 * `refused` and `unusable` give up; `row` is the fault of the row or of the question.
 */
export type FailureKind = "damaged" | "full" | "busy" | "disk" | "refused" | "unusable" | "row";

const kindByCode: readonly (readonly [prefix: string, kind: FailureKind])[] = [
  ["SQLITE_CORRUPT", "damaged"],
  ["SQLITE_NOTADB", "damaged"],
  ["SQLITE_FULL", "full"],
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["SQLITE_BUSY", "busy"],
  ["SQLITE_LOCKED", "busy"],
  ["SQLITE_IOERR", "disk"],
  ["SQLITE_CANTOPEN", "disk"],
  ["SQLITE_READONLY", "disk"],
  ["SQLITE_PROTOCOL", "disk"],
  ["SQLITE_NOMEM", "disk"],
  ["EIO", "disk"],
  ["EMFILE", "disk"],
  ["ENFILE", "disk"],
  ["ENOENT", "disk"],
];

/** Sorts an error by its SQLite or system code. */
export function failureKind(error: unknown): FailureKind {
  if (error instanceof StoreRefusal) return "refused";
  if (error instanceof DamagedFile) return "damaged";
  if (error instanceof UnusableRecord) return "unusable";
  const code = codeOf(error) ?? "";
  return kindByCode.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "row";
}

/** The `code` that SQLite and the file system put on their errors. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The text of anything thrown, with its code. SQLite names columns in it, never values. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  return code === undefined || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
