import type { Conversation, Purpose } from "../types.ts";
import type { ConversationRecord } from "./api.ts";
import type { Row } from "./columns.ts";
import { integer, parsed, text } from "./columns.ts";

/** What is read of a row of `conversations`. */
export interface ConversationRow {
  seq: number;
  json: string;
  started_at: number;
  turn_count: number;
  branch_count: number;
}

/** A conversation as columns of `conversations`, all but `seq`. Turns are rows of their own. */
export function conversationToRow({ conversation, heads }: ConversationRecord): Row {
  const { turns: _turns, ...kept } = conversation;
  const purpose: Purpose = conversation.purpose ?? "chat";
  return {
    id: conversation.id,
    model: text(conversation.model),
    client: text(conversation.client),
    purpose,
    started_at: integer(conversation.startedAt),
    last_at: integer(conversation.lastAt),
    turn_count: integer(conversation.turnCount),
    branch_count: integer(conversation.branchCount ?? 0),
    json: JSON.stringify(kept),
    heads: heads ?? null,
  };
}

/** Columns that grow count more than the JSON, which may come from a program that had forgotten the beginning. */
export function conversationFromRow(row: ConversationRow): Conversation | undefined {
  const conversation = parsed<Conversation>(row.json);
  return conversation === undefined
    ? undefined
    : {
        ...conversation,
        startedAt: row.started_at,
        turnCount: row.turn_count,
        ...(row.branch_count > 0 && { branchCount: row.branch_count }),
      };
}

/** Inserts a conversation or brings it to the front; what it was before it was forgotten here still counts. */
export const upsertConversation = `
  INSERT INTO conversations
    (id, model, client, purpose, started_at, last_at, turn_count, branch_count, json, heads)
  VALUES
    (@id, @model, @client, @purpose, @started_at, @last_at, @turn_count, @branch_count, @json, @heads)
  ON CONFLICT (id) DO UPDATE SET
    seq = (SELECT max(seq) + 1 FROM conversations),
    model = coalesce(excluded.model, model),
    client = coalesce(excluded.client, client),
    purpose = excluded.purpose,
    started_at = min(started_at, excluded.started_at),
    last_at = excluded.last_at,
    turn_count = max(turn_count, excluded.turn_count),
    branch_count = max(branch_count, excluded.branch_count),
    json = excluded.json,
    heads = coalesce(excluded.heads, heads)`;
