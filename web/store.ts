/** The page's signals, and the only code that writes them. */
import { batch, computed, signal } from "@preact/signals";
import type { Exchange, SamplePoint, ServerMessage } from "../src/types.ts";
import { needsLogin, readExchanges, readLoads, readSamples } from "./api.ts";
import { bandBytes, stackBytes } from "./bands.ts";
import { forecastLine } from "./forecastLine.ts";
import { connect } from "./live.ts";
import { occupancyOf } from "./occupancy.ts";
import { appendSample, chartWindows, pointsPerWindow } from "./samples.ts";
import { addEnded, apply, emptyState, endedKept } from "./state.ts";
import { newestLoads } from "./stateLoads.ts";

const page = signal(emptyState);

/** `lostAt` is set while the connection is down, `regainedAt` says until when the last loss lasted. */
export const connection = signal<{ lostAt?: number; regainedAt?: number }>({});

/** The server's time, once a second while the page is visible. */
export const now = signal(Date.now());

export const windowIndex = signal(0);
export const points = signal<SamplePoint[]>([]);

/** The moment that every chart and table points at; absent while none is looked at. */
export const cursorAt = signal<number | undefined>(undefined);

/** What of the record has been read beyond `ended`, newest first; it follows on it without a hole. */
export const older = signal<Exchange[]>([]);
/** Where the record goes on after that; absent at its end. */
export const moreRecorded = signal<string | undefined>(undefined);
export const historyProblem = signal<string | undefined>(undefined);

export const version = computed(() => page.value.version);
export const simulated = computed(() => page.value.simulated);
export const machine = computed(() => page.value.machine);
export const live = computed(() => page.value.live);
export const ended = computed(() => page.value.ended);
export const models = computed(() => page.value.models);
export const loads = computed(() => page.value.loads);
export const conversations = computed(() => page.value.conversations);
export const episodes = computed(() => page.value.episodes);
export const sample = computed(() => page.value.sample);
export const forecast = computed(() => page.value.forecast);
export const health = computed(() => page.value.health);
export const verdict = computed(() => page.value.verdict);
export const chartSpanMs = computed(() => (chartWindows[windowIndex.value] ?? chartWindows[0]).spanMs);

/** Changes only with what occupies cells: a token more in a running answer draws nothing anew. */
const runningPrompts = computed(() =>
  live.value
    .filter(({ exchange }) => exchange.state.phase === "streaming")
    .map(({ exchange }) => exchange.id)
    .join(),
);
/** What tells the bands apart. */
export const bandContext = computed(() => {
  void runningPrompts.value;
  return { loads: loads.value, occupancy: occupancyOf(ended.value, live.peek()) };
});
export const bandsNow = computed(() => sample.value && bandBytes(sample.value, bandContext.value));
export const forecastNow = computed(() =>
  forecastLine(forecast.value, sample.value, bandsNow.value && stackBytes(bandsNow.value)),
);

/** Connects, and keeps time. */
export function start(): void {
  // Side by side with the connection, so that the page is not drawn in two steps.
  void seedSamples();
  void seedRecord();
  const url = new URL("./live", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  connect({
    url: url.href,
    onMessage: queue,
    onOpen: opened,
    onLost: lost,
    onFailedAttempt: () => void logInIfNeeded(),
  });
  setInterval(() => {
    if (!document.hidden) now.value = serverNow();
  }, 1000);
}

export function chooseWindow(index: number): void {
  windowIndex.value = index;
  void seedSamples();
}

const unreadable = "The record of exchanges could not be read.";
/** As many rows as one looks through by hand; the rest is in the CSV. */
const olderKept = 5000;

/** After a loss the record is read again, once a snapshot has told the server's time. */
let seedWanted = false;

function serverNow(): number {
  return Date.now() + page.value.clockOffsetMs;
}

/** Messages of one instant are drawn together: sixty-four running chats are one drawing, not sixty-four. */
const waiting: ServerMessage[] = [];

function queue(message: ServerMessage): void {
  waiting.push(message);
  if (waiting.length > 1) return;
  if (document.hidden) receive();
  else requestAnimationFrame(receive);
}

function receive(): void {
  const messages = waiting.splice(0);
  batch(() => messages.forEach(receiveOne));
  if (seedWanted && messages.some(({ type }) => type === "snapshot")) {
    seedWanted = false;
    void seedSamples();
    void seedRecord();
  }
}

function receiveOne(message: ServerMessage): void {
  if (message.type === "snapshot") reloadIfOther(message.snapshot.version);
  const before = page.value.ended;
  try {
    page.value = apply(page.value, message, Date.now());
    keepDropped(before);
  } catch {
    // One message that makes no sense must not end the page. Perhaps the page is older than the server.
    reloadOnce("misunderstood");
    return;
  }
  const newest = message.type === "sample" || message.type === "snapshot" ? page.value.sample : undefined;
  if (newest) points.value = appendSample(points.value, newest, chartSpanMs.value);
  if (message.type === "snapshot") now.value = serverNow();
}

/** What had to make room among the latest is still on the page, further down. */
function keepDropped(before: readonly Exchange[]): void {
  const { ended } = page.value;
  const last = before.at(-1);
  if (ended === before || last === undefined || ended.length < endedKept || ended.includes(last)) return;
  older.value = [last, ...older.value].slice(0, olderKept);
}

/** Reads the next stretch of the record. */
export async function readOlder(limit: number): Promise<void> {
  if (moreRecorded.value === undefined) return;
  const before = moreRecorded.value;
  try {
    const { exchanges, next } = await readExchanges({ limit, before });
    // Two quick clicks ask for the same stretch.
    if (moreRecorded.value !== before) return;
    older.value = [...older.value, ...exchanges];
    moreRecorded.value = older.value.length < olderKept ? next : undefined;
    historyProblem.value = undefined;
  } catch {
    historyProblem.value = unreadable;
  }
}

/** The page came with its server: another version may mean other words by other names. */
function reloadIfOther(version: string | undefined): void {
  const known = page.value.version;
  if (known && version && known !== version) reloadOnce(version);
}

/** Once for each reason: a page that a cache keeps old must not reload for ever. */
function reloadOnce(reason: string): void {
  try {
    if (sessionStorage.getItem("plimsoll-reloaded") === reason) return;
    sessionStorage.setItem("plimsoll-reloaded", reason);
  } catch {
    return;
  }
  location.reload();
}

function opened(): void {
  const { lostAt } = connection.value;
  connection.value = lostAt === undefined ? {} : { regainedAt: serverNow() };
  seedWanted = lostAt !== undefined || historyProblem.value !== undefined;
}

function lost(): void {
  connection.value = { lostAt: serverNow() };
}

async function logInIfNeeded(): Promise<void> {
  // The page itself answers with the login view then.
  if (await needsLogin()) location.reload();
}

/** Fills the chart from the record, and with it any hole that a lost connection left. */
async function seedSamples(): Promise<void> {
  const index = windowIndex.value;
  const to = serverNow();
  try {
    // Before the first snapshot only the server knows its time; its own window is the last ten minutes.
    const known = page.value.version !== undefined;
    const read = await readSamples({
      from: known ? Math.floor(to - chartSpanMs.value) : undefined,
      to: known ? Math.ceil(to) : undefined,
      points: pointsPerWindow,
    });
    if (index !== windowIndex.value) return;
    const newest = read.at(-1)?.takenAt ?? 0;
    points.value = [...read, ...points.value.filter((point) => point.takenAt > newest)];
  } catch {
    // Without a record the chart grows from what arrives live.
    points.value = points.value.filter((point) => point.takenAt > to - chartSpanMs.value);
  }
}

async function seedRecord(): Promise<void> {
  const [exchanges, loads] = await Promise.allSettled([readExchanges({ limit: endedKept }), readLoads()]);
  batch(() => {
    historyProblem.value = exchanges.status === "rejected" ? unreadable : undefined;
    if (exchanges.status === "fulfilled") {
      page.value = addEnded(page.value, exchanges.value.exchanges);
      older.value = [];
      moreRecorded.value = exchanges.value.next;
    }
    if (loads.status === "fulfilled")
      page.value = { ...page.value, loads: newestLoads(loads.value, page.value.loads) };
  });
}
