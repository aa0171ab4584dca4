import type {
  Conversation,
  Episode,
  Exchange,
  Habits,
  Load,
  Log,
  MemorySample,
  Purpose,
  RecorderHealth,
  SamplePoint,
} from "../types.ts";

/** How long each kind of row is kept. Samples are rolled up as they arrive; this only says when the finer ones go. */
export interface RetentionSettings {
  rawSampleHours: number;
  tenSecondSampleDays: number;
  minuteSampleDays: number;
  /** Exchanges, loads and episodes. */
  exchangeDays: number;
  /** Exchanges of operation `other`: pollers that ask for lists and versions all day. */
  otherExchangeDays: number;
}

/** Newest first; `next` of the answer is absent at the end of the record. */
export interface PageQuery {
  /** 100 unless told, at most 1,000. */
  limit?: number;
  /** `next` of an earlier answer. */
  before?: string;
}

export interface ExchangeQuery extends PageQuery {
  model?: string;
  conversation?: string;
  phase?: Exchange["state"]["phase"];
  /** The client's short name. */
  client?: string;
  operation?: Exchange["operation"];
  /** Leaves out requests that are no inference, such as pages that poll for lists and versions. */
  without?: "other";
}

export interface ConversationQuery extends PageQuery {
  model?: string;
  /** The client's short name. */
  client?: string;
  /** Those of people, `chat` and `single`, unless told. */
  purpose?: Purpose | "any";
}

/** A conversation, and what it is known again by after a restart. */
export interface ConversationRecord {
  conversation: Conversation;
  heads?: string;
}

export interface SampleQuery {
  /** Epoch ms; one hour before `to` unless told. */
  from?: number;
  /** Epoch ms, exclusive; now unless told. */
  to?: number;
  /** At most so many points, 600 unless told, 2 to 10,000. */
  points?: number;
}

/** What to forget: what began before a moment, one conversation, or everything that was recorded. */
export type Forget = { beforeAt: number } | { conversationId: string } | { all: true };

/** How much was forgotten. `copies` counts damaged files and copies of older schemas, which held the same rows. */
export interface Forgotten {
  exchanges: number;
  samples: number;
  loads: number;
  episodes: number;
  copies: number;
}

/**
 * The recorder as the rest of the program sees it. `save…` never blocks and never throws; what they take is read when
 * its batch leaves, at most 250 ms later. Lists are newest first by order of arrival, so that a clock that is set back
 * neither hides new rows nor breaks a cursor. With recording off, lists are empty; while the disk does not answer,
 * reads reject after 5 s with an Error that says so. A cursor that is not one of ours rejects with a RangeError.
 */
export interface Store {
  health(): RecorderHealth;
  /** Called at the start and at the end of an exchange; rows are told apart by id and the last one wins. */
  saveExchange(exchange: Exchange): void;
  /** A second sample with the same `takenAt` is ignored. */
  saveSample(sample: MemorySample): void;
  saveLoad(load: Load): void;
  saveEpisode(episode: Episode): void;
  /** Its turns are not looked at: they are exchanges. */
  saveConversation(record: ConversationRecord): void;
  exchanges(query: ExchangeQuery): Promise<{ exchanges: Exchange[]; next?: string }>;
  exchange(id: string): Promise<Exchange | undefined>;
  /** Oldest first. Gaps stay gaps: a stretch without samples has no point. */
  samples(query: SampleQuery): Promise<SamplePoint[]>;
  loads(query: PageQuery): Promise<{ loads: Load[]; next?: string }>;
  episodes(query: PageQuery): Promise<{ episodes: Episode[]; next?: string }>;
  /** The one with the latest turn first. */
  conversations(query: ConversationQuery): Promise<{ conversations: Conversation[]; next?: string }>;
  /** With its turns, the oldest first; of more than 1,000 the latest. */
  conversation(id: string): Promise<Conversation | undefined>;
  /** Conversations that can be gone on with, the one with the latest turn first. */
  recentConversations(limit: number): Promise<ConversationRecord[]>;
  /** An exchange turns out to belong to another conversation. */
  moveExchange(move: { exchangeId: string; conversationId: string }): Promise<void>;
  /** What was asked of the models since `from`, epoch ms, added up. */
  habits(query: { from: number }): Promise<Habits>;
  /** Deletes rows so that no byte of them stays in the files. Settings stay. */
  forget(what: Forget): Promise<Forgotten>;
  setting(key: string): Promise<string | undefined>;
  saveSetting(key: string, value: string): Promise<void>;
  /** True once everything queued is on disk, false when `timeoutMs` passed before. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Writes what is queued (for at most 5 s), closes the files and ends the worker thread. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** Created if missing; `:memory:` keeps nothing. */
  dataDir: string;
  /** Epoch ms. */
  now: () => number;
  monotonic: () => number;
  log: Log;
  retention: RetentionSettings;
  /** The folder of `0001_….sql` and so on; the package's own unless told. */
  migrationsDir?: string;
  /** Most rows that wait in memory, 10,000 unless told. */
  queueLimit?: number;
  /** Run after each opening of the database, e.g. `max_page_count = 1000`. */
  pragmas?: readonly string[];
}
