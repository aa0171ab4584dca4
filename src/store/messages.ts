/** What the main thread and the recorder's thread say to each other. */
import type { Conversation, Episode, Exchange, Habits, Load, MemorySample, SamplePoint } from "../types.ts";
import type {
  ConversationQuery,
  ConversationRecord,
  ExchangeQuery,
  Forget,
  Forgotten,
  PageQuery,
  RetentionSettings,
  SampleQuery,
} from "./api.ts";

/** What the worker thread is started with. */
export interface WorkerSettings {
  /** A directory, or `:memory:`. */
  dataDir: string;
  migrationsDir: string;
  /** Statements run after each opening, such as `max_page_count = 1000`. */
  pragmas: readonly string[];
  retention: RetentionSettings;
  /** Epoch ms of the start. */
  at: number;
  /** Rows still `waiting` or `streaming` belong to an earlier process: mark them. False when only the thread is new. */
  firstStart: boolean;
}

/** Rows that are written in one transaction. */
export interface Batch {
  exchanges: Exchange[];
  samples: MemorySample[];
  loads: Load[];
  episodes: Episode[];
  conversations: ConversationRecord[];
}

/** Everything the main thread can ask the worker, by name: what goes in, what comes back. */
export interface Questions {
  exchanges: { ask: ExchangeQuery; answer: { exchanges: Exchange[]; next?: string } };
  exchange: { ask: string; answer: Exchange | undefined };
  samples: { ask: SampleQuery; answer: SamplePoint[] };
  loads: { ask: PageQuery; answer: { loads: Load[]; next?: string } };
  habits: { ask: { from: number }; answer: Habits };
  episodes: { ask: PageQuery; answer: { episodes: Episode[]; next?: string } };
  conversations: {
    ask: ConversationQuery;
    answer: { conversations: Conversation[]; next?: string };
  };
  conversation: { ask: string; answer: Conversation | undefined };
  recentConversations: { ask: number; answer: ConversationRecord[] };
  moveExchange: { ask: { exchangeId: string; conversationId: string }; answer: void };
  forget: { ask: Forget; answer: Forgotten };
  setting: { ask: string; answer: string | undefined };
  saveSetting: { ask: { key: string; value: string }; answer: void };
}

export type Topic = keyof Questions;

/** `at` is the program's own clock, epoch ms: the worker reads none. */
export type ToWorker =
  | { type: "write"; number: number; batch: Batch; at: number }
  | { type: "ask"; number: number; question: Question; at: number }
  | { type: "retain"; at: number }
  | { type: "close" };

export type Question = { [T in Topic]: { topic: T; ask: Questions[T]["ask"] } }[Topic];

export type FromWorker =
  | { type: "opened" }
  /** Another program or a newer one owns the data: whoever started us must stop. */
  | { type: "refused"; code: "newer-schema" | "locked"; message: string }
  /** Nothing can be recorded here, and trying again will not help. */
  | { type: "unusable"; problem: string }
  /** The disk did not take this batch; it may be sent again. Number 0: the database could not be opened at the start. */
  | { type: "unwritten"; number: number; problem: string }
  /** The batch is on disk, but for rows that SQLite would not take. */
  | { type: "written"; number: number; rejected: number }
  | { type: "answer"; number: number; answer: unknown }
  | { type: "unanswered"; number: number; message: string; badCursor: boolean }
  /** Something that happened to the files and that people must be told until the next start. */
  | { type: "notice"; problem: string }
  | { type: "log"; message: string; fields: Record<string, unknown> };
