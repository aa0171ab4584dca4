import type { Database } from "better-sqlite3";
import type { Forget, Forgotten } from "./api.ts";
import { removeCopies } from "./damage.ts";
import { describe, failureKind } from "./failures.ts";

type Counts = Omit<Forgotten, "copies">;

/**
 * Deletes rows for good: `secure_delete` overwrites them, the file is rebuilt without its free pages, the log is cut
 * to nothing, and copies of the file that still held the rows are removed. Takes seconds on a large file.
 * @throws Error when traces may stay, because the disk has no room for the rebuilding or another program has the file
 *   open; the rows are deleted and overwritten by then.
 */
export function forget(database: Database, what: Forget): Forgotten {
  const remove = database.transaction(() => removeRows(database, what));
  const counts = remove.immediate();
  if (database.memory) return { ...counts, copies: 0 };
  const copies = removeCopies(database.name);
  try {
    database.exec("VACUUM");
    // Its first column is 1 when somebody still reads what it should have cut off.
    const isBusy = database.pragma("wal_checkpoint(TRUNCATE)", { simple: true }) !== 0;
    if (isBusy) throw new Error("another program has the file open");
  } catch (error) {
    if (failureKind(error) === "damaged") throw error;
    throw new Error(
      `Deleted, but traces may stay in ${database.name}: ${describe(error)}. Remove the cause and forget again.`,
      { cause: error },
    );
  }
  return { ...counts, copies };
}

function removeRows(database: Database, what: Forget): Counts {
  if ("conversationId" in what) return removeConversation(database, what.conversationId);
  const before = "beforeAt" in what ? what.beforeAt : Infinity;
  const remove = (table: string, column: string): number =>
    database.prepare(`DELETE FROM ${table} WHERE ${column} < ?`).run(before).changes;
  // A span that began before the moment holds some of what is to be forgotten.
  remove("sample_rollups", "taken_at");
  remove("conversations", "last_at");
  return {
    exchanges: remove("exchanges", "started_at"),
    samples: remove("samples", "taken_at"),
    loads: remove("loads", "started_at"),
    episodes: remove("episodes", "started_at"),
  };
}

function removeConversation(database: Database, conversationId: string): Counts {
  database
    .prepare(
      "UPDATE loads SET exchange_id = NULL WHERE exchange_id IN (SELECT id FROM exchanges WHERE conversation_id = ?)",
    )
    .run(conversationId);
  database.prepare("DELETE FROM conversations WHERE id = ?").run(conversationId);
  const { changes } = database.prepare("DELETE FROM exchanges WHERE conversation_id = ?").run(conversationId);
  return { exchanges: changes, samples: 0, loads: 0, episodes: 0 };
}
