import type { Database } from "better-sqlite3";
import type { RetentionSettings } from "./api.ts";
import { findConversation, listConversations, recentConversations } from "./conversationQueries.ts";
import { forget } from "./forget.ts";
import { readHabits } from "./habitQueries.ts";
import type { Question } from "./messages.ts";
import { findExchange, listEpisodes, listExchanges, listLoads } from "./queries.ts";
import { readSeries } from "./series.ts";

/** Answers one question of the main thread from an open database. The answer's type is in `Questions`. */
export function answer(
  database: Database,
  question: Question,
  context: { at: number; retention: RetentionSettings },
): unknown {
  switch (question.topic) {
    case "exchanges":
      return listExchanges(database, question.ask);
    case "exchange":
      return findExchange(database, question.ask);
    case "samples":
      return readSeries(database, question.ask, context);
    case "loads":
      return listLoads(database, question.ask);
    case "episodes":
      return listEpisodes(database, question.ask);
    case "conversations":
      return listConversations(database, question.ask);
    case "conversation":
      return findConversation(database, question.ask);
    case "recentConversations":
      return recentConversations(database, question.ask);
    case "moveExchange":
      database
        .prepare("UPDATE exchanges SET conversation_id = @conversationId WHERE id = @exchangeId")
        .run(question.ask);
      return undefined;
    case "habits":
      return readHabits(database, question.ask);
    case "forget":
      return forget(database, question.ask);
    case "setting":
      return database.prepare("SELECT value FROM settings WHERE key = ?").pluck().get(question.ask);
    case "saveSetting":
      database
        .prepare(
          "INSERT INTO settings (key, value) VALUES (@key, @value) ON CONFLICT DO UPDATE SET value = excluded.value",
        )
        .run(question.ask);
      return undefined;
  }
}
