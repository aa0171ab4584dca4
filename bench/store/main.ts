/**
 * How the record behaves after years: `npm run bench:store`. Generates a million exchanges and a year of samples in a
 * temporary folder, then measures the start, each question the page asks (in processor time, so that a busy machine
 * gives the same figures), and how long clearing away holds up a write.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { openStore } from "../../src/store/client.ts";
import type { Store } from "../../src/store/api.ts";
import { readMigrations } from "../../src/store/migrate.ts";
import { openDatabase } from "../../src/store/open.ts";
import { retentionJobs } from "../../src/store/retention.ts";
import { chartWindows, pointsPerWindow } from "../../web/samples.ts";
import { generateRecord, MIGRATIONS } from "./generate.ts";

const LIMITS = { startMs: 500, queryMs: 50, blockMs: 50 };
const RETENTION = {
  rawSampleHours: 6,
  tenSecondSampleDays: 7,
  minuteSampleDays: 90,
  exchangeDays: 365,
  otherExchangeDays: 7,
};
const DAY_MS = 86_400_000;
const ROUNDS = 15;

const { values } = parseArgs({
  options: {
    exchanges: { type: "string", default: "1000000" },
    days: { type: "string", default: "365" },
    folder: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  process.stdout.write(
    "npm run bench:store -- [--exchanges 1000000] [--days 365] [--folder DIR, kept and used again]\n",
  );
  process.exit(0);
}

type Question = [name: string, ask: () => Promise<unknown>];

const folder = values.folder ?? mkdtempSync(path.join(os.tmpdir(), "plimsoll-store-bench-"));
const file = path.join(folder, "plimsoll.db");
const now = Date.now();
let failed = false;

/** Without a limit a figure is only told. */
function report(name: string, ms: number, limitMs: number | undefined, note = ""): void {
  const good = limitMs === undefined || ms <= limitMs;
  failed ||= !good;
  const limit = limitMs === undefined ? "no limit" : `limit ${limitMs}`;
  const mark = limitMs === undefined ? "    " : good ? "ok  " : "OVER";
  process.stdout.write(`${mark} ${name.padEnd(58)} ${ms.toFixed(1).padStart(8)} ms  (${limit})${note}\n`);
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const open = (): Promise<Store> =>
  openStore({
    dataDir: folder,
    now: () => now,
    monotonic: () => performance.now(),
    log: silent,
    retention: RETENTION,
  });

async function measureStart(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const begun = performance.now();
    const store = await open();
    await store.exchanges({ limit: 100 });
    times.push(performance.now() - begun);
    await store.close();
  }
  report("start: opened and the first list answered (median of 5)", median(times), LIMITS.startMs);
}

async function measureQueries(store: Store): Promise<void> {
  const { exchanges, next } = await store.exchanges({ limit: 1000, without: "other" });
  const conversation =
    exchanges.find(({ conversationId }) => conversationId !== undefined)?.conversationId ?? "";
  const deep = String(Math.floor(Number(values.exchanges) / 2));
  const memoryOf = (name: string, spanMs: number): Question => [
    `memory of ${name}, ${pointsPerWindow} points`,
    () => store.samples({ from: now - spanMs, to: now, points: pointsPerWindow }),
  ];
  const questions: Question[] = [
    ["exchanges", () => store.exchanges({ limit: 100 })],
    ["exchanges, no pollers", () => store.exchanges({ limit: 100, without: "other" })],
    ["exchanges of a model", () => store.exchanges({ limit: 100, model: "gemma3:4b" })],
    ["exchanges of a model that nobody has", () => store.exchanges({ limit: 100, model: "nobody" })],
    [
      "exchanges of a client and a model",
      () => store.exchanges({ limit: 100, client: "curl", model: "nomic-embed-text:latest" }),
    ],
    [
      "exchanges of a client and a model that never met",
      () => store.exchanges({ limit: 100, client: "curl", model: "gemma3:4b" }),
    ],
    ["exchanges that failed", () => store.exchanges({ limit: 100, phase: "failed" })],
    [
      "exchanges that failed, of a client",
      () => store.exchanges({ limit: 100, phase: "failed", client: "open-webui" }),
    ],
    ["exchanges in progress", () => store.exchanges({ limit: 100, phase: "streaming" })],
    ["exchanges, one operation", () => store.exchanges({ limit: 100, operation: "embed" })],
    [
      "exchanges, the second page",
      () => store.exchanges({ limit: 100, ...(next !== undefined && { before: next }) }),
    ],
    ["exchanges, half a year back", () => store.exchanges({ limit: 100, before: deep, without: "other" })],
    ["exchanges of a conversation", () => store.exchanges({ limit: 100, conversation })],
    ["one exchange", () => store.exchange(exchanges[0]?.id ?? "")],
    ["conversations", () => store.conversations({ limit: 100 })],
    ["conversations of a client", () => store.conversations({ limit: 100, client: "curl" })],
    ["one conversation with its turns", () => store.conversation(conversation)],
    ["loads", () => store.loads({ limit: 100 })],
    ["alerts", () => store.episodes({ limit: 100 })],
    ["habits of a week, for advice", () => store.habits({ from: now - 7 * DAY_MS })],
    ...chartWindows.map(({ name, spanMs }) => memoryOf(name, spanMs)),
  ];
  for (const question of questions) await measureQuery(question, LIMITS.queryMs);
  // These are answered too, but the page has no such window: a script asks for them.
  await measureQuery(memoryOf("a week", 7 * DAY_MS));
  await measureQuery(memoryOf("a year", 365 * DAY_MS));
}

async function measureQuery([name, ask]: Question, limitMs?: number): Promise<void> {
  await ask();
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = performance.now();
    await ask();
    times.push(performance.now() - begun);
  }
  const { user, system } = process.cpuUsage(before);
  // Everything is in the cache by now, so on an idle machine the two are alike; on a busy one only the first is ours.
  const cpuMs = (user + system) / 1000 / ROUNDS;
  report(
    name,
    cpuMs,
    limitMs,
    `  by the clock: median ${median(times).toFixed(1)}, worst ${Math.max(...times).toFixed(1)}`,
  );
}

/** Each slice of clearing away is one transaction: a write waits for one of them at most. */
function measureRetention(): void {
  const copy = path.join(folder, "retention.db");
  copyFileSync(file, copy);
  const database = openDatabase(copy, {
    migrations: readMigrations(MIGRATIONS),
    pragmas: [],
    begin: (opened) => opened,
  });
  try {
    const times: number[] = [];
    let mostCpuMs = 0;
    const jobs = retentionJobs(now, { ...RETENTION, exchangeDays: 335, minuteSampleDays: 60 });
    for (const job of jobs) {
      for (let more = true; more;) {
        const begun = performance.now();
        const before = process.cpuUsage();
        more = job(database);
        times.push(performance.now() - begun);
        const { user, system } = process.cpuUsage(before);
        mostCpuMs = Math.max(mostCpuMs, (user + system) / 1000);
      }
    }
    const sorted = times.toSorted((one, other) => one - other);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    report(
      "clearing away, the longest of all slices",
      mostCpuMs,
      LIMITS.blockMs,
      `  ${sorted.length} slices; by the clock, the disk included: median ${median(times).toFixed(1)}, p99 ${p99.toFixed(1)}, worst ${(sorted.at(-1) ?? 0).toFixed(1)}`,
    );
  } finally {
    database.close();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
}

try {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    const sizes = { exchanges: Number(values.exchanges), days: Number(values.days), now };
    generateRecord(folder, sizes, (text) => process.stderr.write(`generating: ${text}\n`));
  }
  process.stdout.write(
    `${values.exchanges} exchanges, ${values.days} days, ${(statSync(file).size / 1024 ** 2).toFixed(0)} MiB\n`,
  );
  await measureStart();
  const store = await open();
  await measureQueries(store);
  await store.close();
  measureRetention();
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
