import { fileURLToPath } from "node:url";
import type { Log, RecorderHealth } from "../types.ts";
import type { RetentionSettings, Store } from "./api.ts";
import { createAsks } from "./asks.ts";
import { watchClock } from "./clockWatch.ts";
import type { FromWorker, Questions, Topic } from "./messages.ts";
import { createOutbox } from "./outbox.ts";
import { createQueue } from "./queue.ts";
import { StoreRefusal } from "./refusal.ts";
import { startThread } from "./thread.ts";

export type { Store } from "./api.ts";

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

/** The emitted program lies one folder deeper than its source. */
const packageMigrations = new URL(
  import.meta.url.endsWith(".ts") ? "../../migrations/" : "../../../migrations/",
  import.meta.url,
);

/** What ended a second before a power cut must be on disk, and the transaction itself takes time. */
const exchangeDelayMs = 200;
const sampleDelayMs = 5000;

const stalledAfterMs = 2000;
const openLimitMs = 5000;
const closeLimitMs = 5000;
const retentionIntervalMs = 60_000;

/**
 * Starts the recorder. Resolves once it records, or once it is known why it does not: `health()` says so, and the
 * program goes on without a record.
 * @throws StoreRefusal when another instance or a newer program owns the data directory.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { now, monotonic, log } = options;
}
