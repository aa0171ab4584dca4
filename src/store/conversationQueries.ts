import type { Database } from "better-sqlite3";
import type { Conversation } from "../types.ts";
import type { ConversationQuery, ConversationRecord } from "./api.ts";
import type { ConversationRow } from "./conversationRows.ts";
import { conversationFromRow } from "./conversationRows.ts";
import type { ExchangeRow } from "./exchangeRows.ts";
import { exchangeFromRow } from "./exchangeRows.ts";
import { listPage } from "./queries.ts";

/** Of a longer conversation the latest turns. */
const mostTurns = 1000;
const columns = "seq, json, started_at, turn_count, branch_count";

/** A page of conversations, the one with the latest turn first; those of people unless another purpose is asked for. */
export function listConversations(
  database: Database,
  query: ConversationQuery,
): { conversations: Conversation[]; next?: string } {
  const { purpose } = query;
  const { rows, next } = listPage<ConversationRow>(database, {
    table: "conversations",
    columns,
    page: query,
    filters: {
      client: query.client,
      model: query.model,
      ...(purpose !== "any" && { purpose }),
    },
    conditions: purpose === undefined ? ["purpose IN ('chat', 'single')"] : [],
  });
  const conversations = rows.map(conversationFromRow).filter((row) => row !== undefined);
  return { conversations, ...next };
}

/** The conversation of this id with its turns, the oldest first. */
export function findConversation(database: Database, id: string): Conversation | undefined {
  const row = database
    .prepare<[string], ConversationRow>(`SELECT ${columns} FROM conversations WHERE id = ?`)
    .get(id);
  const conversation = row === undefined ? undefined : conversationFromRow(row);
  if (conversation === undefined) return undefined;
  const turns = database
    .prepare<[string, number], ExchangeRow>(
      "SELECT * FROM exchanges WHERE conversation_id = ? ORDER BY seq DESC LIMIT ?",
    )
    .all(id, mostTurns);
  return { ...conversation, turns: turns.toReversed().map(exchangeFromRow) };
}

/** The conversations of people that can be gone on with, the one with the latest turn first. */
export function recentConversations(database: Database, limit: number): ConversationRecord[] {
  const rows = database
    .prepare<[number], ConversationRow & { heads: string }>(
      `SELECT ${columns}, heads FROM conversations
       WHERE purpose IN ('chat', 'single') AND heads IS NOT NULL ORDER BY seq DESC LIMIT ?`,
    )
    .all(limit);
  return rows.flatMap((row) => {
    const conversation = conversationFromRow(row);
    return conversation === undefined ? [] : [{ conversation, heads: row.heads }];
  });
}
