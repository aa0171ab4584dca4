import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import path, { join } from "node:path";
import type { Database } from "better-sqlite3";
import { setAside } from "./damage.ts";
import type { FailureKind } from "./failures.ts";
import { UnusableRecord, codeOf, describe, failureKind } from "./failures.ts";
import type { FileSet } from "./fileIdentity.ts";
import { filesOf, identityOf, removeLeftLog } from "./fileIdentity.ts";
import { markInterrupted } from "./interrupted.ts";
import { acquireLock } from "./lock.ts";
import type { WorkerSettings } from "./messages.ts";
import { readMigrations } from "./migrate.ts";
import { openDatabase } from "./open.ts";
import type { Writer } from "./writes.ts";
import { createWriter } from "./writes.ts";

/** An open database with its statements. */
export interface Connection {
  database: Database;
  write: Writer;
}

/** The database behind its misfortunes: opens it when needed, opens it anew when its files vanish or are damaged. */
export interface Recorder {
  /** Runs `work` on an open database. Throws what opening or working threw, once there was nothing left to repair. */
  use<T>(at: number, work: (connection: Connection) => T): T;
  close(): void;
}

interface Hooks {
  /** Something that happened to the files and that people must be told. */
  notice(problem: string): void;
  /** Why a row was left out of its batch. */
  rejected(reason: string): void;
  /** The process that will hold the lock. */
  holder: number;
}

/** A disk that damages every new file would otherwise be filled with them. */
const mostFilesSetAside = 3;

/** Errors after which the connection itself is not to be trusted. */
const breaksConnection: readonly FailureKind[] = ["damaged", "disk"];

/** Opens nothing yet: the first `use` does. */
export function createRecorder(settings: WorkerSettings, hooks: Hooks): Recorder {
  const inMemory = settings.dataDir === ":memory:";
  const file = inMemory ? settings.dataDir : join(settings.dataDir, "plimsoll.db");
  const lockFile = join(settings.dataDir, "plimsoll.lock");
  let lock: { release: () => void; identity: string } | undefined;
  let current: Connection | undefined;
  /** What `current` was opened on. Outlives it, to notice what was done to the files meanwhile. */
  let files: FileSet | undefined;
  let interruptedIsMarked = !settings.firstStart;
  let filesSetAside = 0;

  function connect(at: number): Connection {
    if (!inMemory) {
      if (hasMoved()) letGo();
      claimDirectory();
    }
    current ??= open(at);
    return current;
  }

  function hasMoved(): boolean {
    if (lock !== undefined && identityOf(lockFile) !== lock.identity) return true;
    return files !== undefined && identityOf(file) !== files.database;
  }

  function letGo(): void {
    disconnect();
    releaseLock();
    if (files !== undefined) removeLeftLog(file, files);
    files = undefined;
    hooks.notice(
      `The record in ${settings.dataDir} was removed or replaced while running; recording goes on there with what is there now.`,
    );
  }

  function claimDirectory(): void {
    if (lock !== undefined) return;
    makeDirectory(settings.dataDir);
    const release = acquireLock(lockFile, hooks.holder);
    lock = { release, identity: identityOf(lockFile) };
  }

  function open(at: number): Connection {
    try {
      return openDatabase(file, {
        migrations: readMigrations(settings.migrationsDir),
        pragmas: settings.pragmas,
        begin: (database) => {
          if (!interruptedIsMarked) markInterrupted(database, at);
          interruptedIsMarked = true;
          if (!inMemory) files = filesOf(file);
          return { database, write: createWriter(database, hooks.rejected) };
        },
      });
    } catch (error) {
      // What no disk and no other program is to blame for, such as a broken migration, fails the same way each time.
      if (failureKind(error) !== "row") throw error;
      throw new UnusableRecord(`${file} could not be opened: ${describe(error)}. Nothing is recorded.`, {
        cause: error,
      });
    }
  }

  function repair(at: number, error: unknown): void {
    disconnect();
    if (filesSetAside >= mostFilesSetAside) {
      throw new UnusableRecord(
        `${file} was damaged ${filesSetAside + 1} times since the start, last: ${describe(error)}. Check the disk, then restart.`,
        { cause: error },
      );
    }
    filesSetAside += 1;
    const name = setAside(file, at);
    files = undefined;
    hooks.notice(
      `plimsoll.db was damaged (${describe(error)}). It was set aside as ${name} in ${settings.dataDir}; recording began anew.`,
    );
  }

  function disconnect(): void {
    try {
      current?.database.close();
    } catch {
      // Closing writes the log back, which fails where everything else failed; what is committed stays in the log.
    }
    current = undefined;
  }

  function releaseLock(): void {
    lock?.release();
    lock = undefined;
  }

  return {
    use(at, work) {
      try {
        return work(connect(at));
      } catch (error) {
        const kind = failureKind(error);
        if (breaksConnection.includes(kind) && !inMemory) disconnect();
        if (kind !== "damaged" || inMemory) throw error;
        repair(at, error);
        return work(connect(at));
      }
    },
    close() {
      disconnect();
      releaseLock();
    },
  };
}

/** Not `recursive`: Node goes round for ever where a file system, such as /proc, says that a path it will not make has no parent. */
function makeEach(directory: string): void {
  if (existsSync(directory)) return;
  const parent = path.dirname(directory);
  if (parent !== directory) makeEach(parent);
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    // Another instance was quicker.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** With these the directory may be fine a minute later. */
const transientCodes = ["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE"];

function makeDirectory(directory: string): void {
  try {
    makeEach(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (transientCodes.includes(codeOf(error) ?? "")) throw error;
    throw new UnusableRecord(
      `The data directory ${directory} cannot be used: ${describe(error)}. Make it writable or choose another with --data-dir or PLIMSOLL_DATA_DIR, then restart.`,
      { cause: error },
    );
  }
}
