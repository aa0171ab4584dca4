/**
 * A long run: `npm run soak` (an hour; `--minutes N` for another length). Eight streams without a pause, some left
 * half-way, reloads, two open pages, memory read once a second. Says how memory, descriptors, the database's log and
 * the event loop went, and whether every exchange that was sent has its row. Before that some ten thousand short chats
 * fill what Plimsoll remembers: all of it has a limit, and whether anything grows without one shows only then.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createClock } from "../../src/demo/clock.ts";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { readMigrations } from "../../src/store/migrate.ts";
import { openReader } from "../../src/store/readOnly.ts";
import { readEventLoop } from "../machine/eventLoop.ts";
import { openPage } from "../machine/page.ts";
import { createProc } from "../machine/proc.ts";
import { launchPlimsoll } from "../targets/plimsoll.ts";
import type { KeptMemory } from "./heapPreload.ts";
import { chatUntil, fill, type Sent } from "./load.ts";
import { slopeOf } from "./slope.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    streams: { type: "string", default: "8" },
    fill: { type: "string", default: "22000" },
    help: { type: "boolean" },
  },
});
if (values.help === true) {
  process.stdout.write(
    "npm run soak -- [--minutes 60] [--streams 8] [--fill 22000]\n\n  --minutes N  length, after the filling\n  --streams N  chats at a time\n  --fill N     short chats before, so that all that is remembered is full (turns, scores, chats)\n",
  );
  process.exit(0);
}
const minutes = Number(values.minutes);
const streams = Number(values.streams);
const fillCount = Number(values.fill);
if (!(minutes > 0) || !Number.isInteger(streams) || streams < 1 || !Number.isInteger(fillCount)) {
  process.stderr.write("soak: --minutes and --streams take numbers above 0, --fill a whole one\n");
  process.exit(2);
}

const LIMITS = { slopeMibPerHour: 1, walMib: 20, eventLoopP99Ms: 50 };
/** Caches fill and code is compiled in the beginning. */
const WARM_UP_MS = Math.min(10, minutes / 3) * 60_000;
const EVERY_MS = 10_000;
const MIB = 1024 ** 2;

const folder = mkdtempSync(path.join(os.tmpdir(), "plimsoll-soak-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const dataDir = path.join(folder, "data");
mkdirSync(dataDir);
const loopFile = path.join(folder, "event-loop.json");
const heapFile = path.join(folder, "heap.json");
const preload = (name: string): string[] => ["--import", new URL(name, import.meta.url).href];
/** While memory is filled, models compute next to nothing; keeping them and waiting takes its time. */
let isFilling = true;
const steady = createClock({ speed: 4 });
const simulated = createSimulatedOllama({
  clock: { ...steady, work: (ms, signal) => steady.work(isFilling ? ms / 1000 : ms, signal) },
});
const { port: upstreamPort } = await simulated.listen();
const target = await launchPlimsoll({
  name: "plimsoll",
  label: "Plimsoll",
  recording: true,
  directory: dataDir,
  upstreamPort,
  nodeArguments: ["--expose-gc", ...preload("../eventLoopPreload.ts"), ...preload("./heapPreload.ts")],
  environment: { BENCH_EVENT_LOOP_FILE: loopFile, SOAK_HEAP_FILE: heapFile },
});

interface Reading {
  atMs: number;
  /** As it is, garbage included; and what is left after a collection. */
  rssMib: number;
  keptRssMib: number;
  heapMib: number;
  descriptors: number;
  walMib: number;
  p99Ms: number;
}

const proc = createProc();
const readings: Reading[] = [];
const sent: Sent = { whole: 0, left: 0 };
let startedMs = performance.now();
/** Ctrl-C ends the run early; what was measured until then is judged. */
const stopped = new AbortController();
process.once("SIGINT", () => stopped.abort());

async function read(): Promise<Reading> {
  const pid = target.pid ?? 0;
  const wal = statSync(path.join(dataDir, "plimsoll.db-wal"), { throwIfNoEntry: false });
  const rssMib = proc.rssBytes([pid]) / MIB;
  rmSync(heapFile, { force: true });
  const { p99Ms } = await readEventLoop(pid, loopFile);
  const kept = await readKept();
  return {
    atMs: performance.now() - startedMs,
    rssMib,
    keptRssMib: kept.rssBytes / MIB,
    heapMib: kept.heapUsedBytes / MIB,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    walMib: (wal?.size ?? 0) / MIB,
    p99Ms,
  };
}

async function readKept(): Promise<KeptMemory> {
  const deadline = performance.now() + 5000;
  while (!existsSync(heapFile)) {
    if (performance.now() > deadline)
      throw new Error("it was asked for its memory and did not answer within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return JSON.parse(readFileSync(heapFile, "utf8")) as KeptMemory;
}

function say({ atMs, rssMib, keptRssMib, heapMib, descriptors, walMib, p99Ms }: Reading): void {
  process.stdout.write(
    `${(atMs / 60_000).toFixed(1).padStart(6)} min  RSS ${rssMib.toFixed(1)} MiB, ${keptRssMib.toFixed(1)} without garbage (heap ${heapMib.toFixed(1)})  descriptors ${descriptors}  log ${walMib.toFixed(1)} MiB  event loop p99 ${p99Ms.toFixed(1)} ms  exchanges ${sent.whole + sent.left}\n`,
  );
}

function sayFilled(count: number): void {
  const rssMib = proc.rssBytes([target.pid ?? 0]) / MIB;
  process.stdout.write(`filling: ${count} of ${fillCount} chats  RSS ${rssMib.toFixed(1)} MiB\n`);
}

let failed = false;
function judge(name: string, good: boolean, text: string): void {
  failed ||= !good;
  process.stdout.write(`${good ? "ok  " : "OVER"} ${name}: ${text}\n`);
}

try {
  const pages = await Promise.all([openPage(target.port), openPage(target.port)]);
  const url = `http://127.0.0.1:${target.port}`;
  await fill(url, fillCount, { sent, lanes: 16, stopped: () => stopped.signal.aborted, say: sayFilled });
  isFilling = false;
  startedMs = performance.now();
  const chatting = Array.from({ length: streams }, (_, lane) =>
    chatUntil(url, lane, sent, () => stopped.signal.aborted),
  );
  const stop = Promise.race(chatting).catch((error: unknown) => {
    process.stderr.write(`soak: ${String(error)}\n`);
    failed = true;
    stopped.abort();
  });
  let saidAt = -60_000;
  while (!stopped.signal.aborted && performance.now() - startedMs < minutes * 60_000) {
    await Promise.race([new Promise((resolve) => setTimeout(resolve, EVERY_MS)), stop]);
    // On a terminal Ctrl-C reaches Plimsoll as well, which then ends as it should.
    if (stopped.signal.aborted) break;
    const reading = await read();
    readings.push(reading);
    if (reading.atMs - saidAt >= 60_000) {
      saidAt = reading.atMs;
      say(reading);
    }
  }
  stopped.abort();
  await Promise.allSettled(chatting);
  pages.forEach((page) => page.close());
  await new Promise((resolve) => setTimeout(resolve, 1500));
  if (existsSync(`/proc/${target.pid ?? 0}/fd`)) readings.push(await read());
} finally {
  await target.stop();
  await simulated.close();
}

const warm = readings.filter(({ atMs }) => atMs >= WARM_UP_MS);
const slope = slopeOf(warm.map(({ atMs, keptRssMib }) => [atMs / 3_600_000, keptRssMib]));
const heapSlope = slopeOf(warm.map(({ atMs, heapMib }) => [atMs / 3_600_000, heapMib]));
const most = (pick: (reading: Reading) => number): number => Math.max(...warm.map(pick));
judge(
  "heap without garbage, slope after the warm-up",
  (heapSlope ?? 0) <= LIMITS.slopeMibPerHour,
  `${heapSlope?.toFixed(2) ?? "unknown"} MiB/h (limit ${LIMITS.slopeMibPerHour}); ${most(({ heapMib }) => heapMib).toFixed(1)} MiB at most`,
);
judge(
  "RSS without garbage, slope after the warm-up",
  (slope ?? 0) <= LIMITS.slopeMibPerHour,
  `${slope?.toFixed(2) ?? "unknown"} MiB/h (limit ${LIMITS.slopeMibPerHour}); at most ${most(({ rssMib }) => rssMib).toFixed(1)} MiB with garbage, ${most(({ keptRssMib }) => keptRssMib).toFixed(1)} without`,
);
judge(
  "descriptors",
  (readings.at(-1)?.descriptors ?? 0) <= (readings[0]?.descriptors ?? 0) + 4,
  `${readings[0]?.descriptors} at first, ${most(({ descriptors }) => descriptors)} at most, ${readings.at(-1)?.descriptors} at the end`,
);
judge(
  "the database's log",
  most(({ walMib }) => walMib) <= LIMITS.walMib,
  `${most(({ walMib }) => walMib).toFixed(1)} MiB at most (limit ${LIMITS.walMib})`,
);
const p99s = warm.map(({ p99Ms }) => p99Ms).toSorted((one, other) => one - other);
const p99 = p99s[Math.floor(p99s.length / 2)] ?? 0;
judge(
  "event loop, p99 of 10 s",
  p99 <= LIMITS.eventLoopP99Ms,
  `${p99.toFixed(1)} ms in the middle of all, ${most(({ p99Ms }) => p99Ms).toFixed(1)} at most`,
);

const migrations = readMigrations(fileURLToPath(new URL("../../migrations", import.meta.url)));
const reader = openReader(dataDir, migrations.length);
const phases = new Map<string, number>();
for (const { operation, state } of reader.exchanges({ from: 0, to: Number.MAX_SAFE_INTEGER })) {
  if (operation === "chat" || operation === "generate")
    phases.set(state.phase, (phases.get(state.phase) ?? 0) + 1);
}
reader.close();
const rows = [...phases.values()].reduce((sum, count) => sum + count, 0);
const counted = [...phases].map(([phase, count]) => `${count} ${phase}`).join(", ");
// One that was left after its last event counts as completed, so only the sum is exact.
judge(
  "a row for each exchange",
  rows === sent.whole + sent.left && (phases.get("failed") ?? 0) === 0,
  `${sent.whole} read to the end and ${sent.left} left; rows: ${counted}`,
);
process.exitCode = failed ? 1 : 0;
