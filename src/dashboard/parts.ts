/** The functions that the dashboard is given: it reaches for no other stage. */
import type {
  Conversation,
  Episode,
  Advice,
  Exchange,
  ExchangeState,
  Health,
  Load,
  LoadedModel,
  Log,
  Operation,
  Purpose,
  SamplePoint,
  Snapshot,
} from "../types.ts";
import type { Access } from "./access.ts";
import type { PredictParts } from "./predictApi.ts";
import type { PageFiles } from "./static.ts";

/** Rows, newest first. `next` is what `before` takes for the following page; absent when these are the last. */
export interface Rows<Row> {
  rows: Row[];
  next?: string;
}

export interface ExchangesQuery {
  limit: number;
  before?: string;
  model?: string;
  conversation?: string;
  phase?: ExchangeState["phase"];
  /** Compared with the client's short name. */
  client?: string;
  operation?: Operation;
  /** Leaves out requests that are no inference, such as pages that poll for lists and versions. */
  without?: "other";
}

export interface ConversationsQuery {
  limit: number;
  before?: string;
  model?: string;
  client?: string;
  /** Those of people unless told. */
  purpose?: Purpose | "any";
}

/** What to delete, for good. */
export type ForgetRequest = { beforeAt: number } | { conversationId: string } | { all: true };

interface LoadsQuery {
  limit: number;
  before?: string;
}

export interface SamplesQuery {
  from: number;
  to: number;
  /** At most this many points. */
  points: number;
}

/** Everything the routes need from the rest of the program. */
export interface DashboardParts {
  access: Access;
  page: PageFiles;
  log: Pick<Log, "error">;
  now(): number;
  snapshot(): Snapshot;
  health(): Health;
  /** Asks Ollama now, with a time limit of its own. */
  probe(): Promise<Health>;
  /** Absent means that `before` is no cursor of its making. */
  listExchanges(query: ExchangesQuery): Promise<Rows<Exchange> | undefined>;
  /** Live or recorded. */
  findExchange(id: string): Promise<Exchange | undefined>;
  /** Closes a live exchange; false when it is not live. */
  cancelExchange(id: string): boolean;
  listSamples(query: SamplesQuery): Promise<SamplePoint[]>;
  /** Absent means that `before` is no cursor of its making. */
  listLoads(query: LoadsQuery): Promise<Rows<Load> | undefined>;
  /** The one with the latest turn first. Absent means that `before` is no cursor of its making. */
  listConversations(query: ConversationsQuery): Promise<Rows<Conversation> | undefined>;
  /** With its turns, live or recorded. */
  findConversation(id: string): Promise<Conversation | undefined>;
  /** Deletes records and answers how many of each kind. */
  forget(what: ForgetRequest): Promise<Record<string, number>>;
  listModels(): LoadedModel[];
  /** What is worth doing, the most worthwhile first. */
  listAdvice(): Promise<Advice[]>;
  metrics(): Promise<{ contentType: string; text: string }>;
  predictions: PredictParts;
  /** Open and past alerts; absent means that `before` is no cursor of its making. */
  listAlerts(query: LoadsQuery): Promise<Rows<Episode> | undefined>;
  /** Plays a recorded run as a drill; false while one is being played. */
  startDrill(speed: number): { seconds: number; speed: number } | false;
  alertTests: {
    /** Sends a test message to one channel or all; absent means that there is none of that name. */
    run(channel: string | undefined): Promise<object[] | undefined>;
    names(): string[];
  };
}
