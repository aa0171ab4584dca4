/** A record as years of use leave it: made by the program's own writers, so that its rows are real ones. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Database } from "better-sqlite3";
import { spanToRow } from "../../src/store/sampleRows.ts";
import { readMigrations } from "../../src/store/migrate.ts";
import { openDatabase } from "../../src/store/open.ts";
import { spanOf, type Span } from "../../src/store/spans.ts";
import { createWriter, rollupSpans } from "../../src/store/writes.ts";
import type { Conversation, Exchange, MemorySample } from "../../src/types.ts";

export const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

const GIB = 1024 ** 3;
const MODELS = ["gemma3:4b", "llama3.1:8b", "qwen2.5-coder:1.5b", "gemma3:270m", "nomic-embed-text:latest"];
const CLIENTS = ["open-webui", "ollama-js", "ollama-python", "continue", "curl"];
const BATCH_ROWS = 5000;
/** How long each resolution is kept by default. */
const KEPT_MS: Record<number, number> = {
  10: 7 * 86_400_000,
  60: 90 * 86_400_000,
  900: 365 * 86_400_000,
  14_400: 365 * 86_400_000,
};
const RAW_MS = 6 * 3_600_000;

export interface Sizes {
  exchanges: number;
  days: number;
  /** The newest moment in it. */
  now: number;
}

/** Creates `plimsoll.db` in a folder. `say` hears how far it is. */
export function generateRecord(folder: string, sizes: Sizes, say: (text: string) => void): void {
  mkdirSync(folder, { recursive: true });
  const database = openDatabase(join(folder, "plimsoll.db"), {
    migrations: readMigrations(MIGRATIONS),
    // Nothing is lost when a generated record is cut short.
    pragmas: ["synchronous = OFF", "cache_size = -65536"],
    begin: (opened) => opened,
  });
  try {
    writeExchanges(database, sizes, say);
    writeSamples(database, sizes);
    say("roll-ups of a year");
    writeRollups(database, sizes);
    database.pragma("wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

function writeExchanges(
  database: Database,
  { exchanges: count, days, now }: Sizes,
  say: (text: string) => void,
): void {
  const write = createWriter(database, (reason) => {
    throw new Error(reason);
  });
  const everyMs = (days * 86_400_000) / count;
  for (let from = 0; from < count; from += BATCH_ROWS) {
    const rows = Array.from({ length: Math.min(BATCH_ROWS, count - from) }, (_, index) =>
      exchangeAt(from + index, Math.round(now - (count - from - index) * everyMs)),
    );
    const loads = rows
      .filter((_, index) => index % 100 === 0)
      .map((row) => ({
        id: `l${row.id}`,
        startedAt: row.startedAt,
        model: row.model ?? "",
        cause: "expired" as const,
        exchangeId: row.id,
      }));
    const conversations = rows
      .filter(({ turn }) => turn === 1)
      .map((row) => ({ conversation: conversationOf(row) }));
    write({ exchanges: rows, samples: [], loads, episodes: [], conversations });
    if (from % 100_000 === 0) say(`${from} of ${count} exchanges`);
  }
}

function exchangeAt(index: number, startedAt: number): Exchange {
  // A quarter of all requests are pages that poll; of the rest every fiftieth fails or is left.
  const other = index % 4 === 3;
  const phase = index % 50 === 1 ? "failed" : index % 50 === 2 ? "cancelled" : "completed";
  const endedAt = startedAt + 2000;
  return {
    id: `g${index.toString(36).padStart(8, "0")}`,
    startedAt,
    operation: other ? "other" : index % 20 === 4 ? "embed" : "chat",
    dialect: index % 3 === 0 ? "openai" : "ollama",
    method: other ? "GET" : "POST",
    path: other ? "/api/tags" : "/api/chat",
    ...(!other && { model: MODELS[index % MODELS.length] }),
    client: { name: CLIENTS[index % CLIENTS.length], userAgent: `client/${index % 7}`, address: "127.0.0.1" },
    ...(!other && { conversationId: `c${Math.floor(index / 40)}`, turn: 1 + (index % 40), stream: true }),
    status: 200,
    contextLength: 8192,
    contextTokensUsed: 100 * (index % 80),
    requestBytes: 2000 + (index % 5000),
    responseBytes: 9000,
    chunkCount: 100,
    state:
      phase === "failed"
        ? { phase, endedAt, error: { code: "http-500", message: "Ollama answered 500" } }
        : { phase, endedAt, firstTokenAt: startedAt + 400 },
    ...(!other && {
      usage: {
        inputTokens: index % 8000,
        outputTokens: 100,
        totalMs: 2000,
        loadMs: 10,
        prefillMs: 300,
        decodeMs: 1600,
        doneReason: "stop",
        provenance: "measured" as const,
      },
      prediction: { firstTokenMs: { predicted: 380, low: 300, high: 500, actual: 400, errorRatio: -0.05 } },
    }),
    notices: index % 200 === 0 ? [{ kind: "truncated", tokensLost: 100 }] : [],
  };
}

function conversationOf(row: Exchange): Conversation {
  return {
    id: row.conversationId ?? "",
    ...(row.model !== undefined && { model: row.model }),
    ...(row.client.name !== undefined && { client: row.client.name }),
    startedAt: row.startedAt,
    lastAt: row.startedAt,
    turnCount: 30,
    notices: [],
    purpose: "chat",
  };
}

function sampleAt(takenAt: number): MemorySample {
  const used = (8 + 4 * Math.sin(takenAt / 3_600_000)) * GIB;
  return {
    takenAt,
    totalBytes: 32 * GIB,
    availableBytes: Math.round(32 * GIB - used),
    headroomBytes: Math.round(30 * GIB - used),
    floorBytes: 2 * GIB,
    anonymousBytes: Math.round(used),
    mappedBytes: GIB,
    swapTotalBytes: 8 * GIB,
    swapUsedBytes: 0,
    swapOutBytesPerSecond: 0,
    swapInBytesPerSecond: 0,
    refaultBytesPerSecond: 12.5,
    kswapdScanPerSecond: 0,
    pressureSomeRatio: 0.001,
    pressureFullRatio: 0,
    gpus: [],
    runners: [
      {
        pid: 1234,
        startedAt: 1,
        model: "gemma3:4b",
        anonymousBytes: 4 * GIB,
        fileBytes: GIB,
        sharedBytes: 0,
        swappedBytes: 0,
      },
    ],
    problems: [],
  };
}

function writeSamples(database: Database, { now }: Sizes): void {
  const write = createWriter(database, (reason) => {
    throw new Error(reason);
  });
  for (let at = now - RAW_MS; at < now; at += BATCH_ROWS * 1000) {
    const length = Math.min(BATCH_ROWS, Math.floor((now - at) / 1000));
    const samples = Array.from({ length }, (_, index) => sampleAt(at + index * 1000));
    write({ exchanges: [], loads: [], episodes: [], conversations: [], samples });
  }
}

/** What a year of samples has been rolled up to, before the newest hours, which were written as they came. */
function writeRollups(database: Database, { now, days }: Sizes): void {
  const columns = Object.keys(spanToRow(spanOf(sampleAt(now)), now, 10));
  const insert = database.prepare(
    `INSERT OR IGNORE INTO sample_rollups (${columns.join(", ")}) VALUES (${columns.map((name) => `@${name}`).join(", ")})`,
  );
  for (const seconds of rollupSpans) {
    const from = now - Math.min(KEPT_MS[seconds] ?? 0, days * 86_400_000);
    const write = database.transaction(() => {
      for (
        let at = Math.ceil(from / 1000 / seconds) * seconds * 1000;
        at < now - RAW_MS;
        at += seconds * 1000
      ) {
        const span: Span = { ...spanOf(sampleAt(at)), sampleCount: seconds };
        insert.run(
          Object.fromEntries(
            Object.entries(spanToRow(span, at, seconds)).map(([name, value]) => [name, value ?? null]),
          ),
        );
      }
    });
    write.immediate();
  }
}
