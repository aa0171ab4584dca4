import { batch, computed, signal } from "@preact/signals";
import type { Exchange, SamplePoint, ServerMessage } from "../src/types.ts";
import { needsLogin, readExchanges, readSamples } from "./api.ts";
import { bandsOf } from "./bands.ts";
import { connect } from "./live.ts";
import { appendSample, chartWindows, pointsPerWindow } from "./samples.ts";
import { addEnded, apply, emptyState, endedKept } from "./state.ts";

/** The page's signals, and the only code that writes them. */

export const page = signal(emptyState);

/** `lostAt` is set while the connection is down, `regainedAt` says until when the last loss lasted. */
export const connection = signal<{ lostAt?: number; regainedAt?: number }>({});

/** The server's time, once a second while the page is visible. */
export const now = signal(Date.now());

export const windowIndex = signal(0);
export const points = signal<SamplePoint[]>([]);

/** An older page of the record, or absent while the newest exchanges are shown. */
export const olderPage = signal<{ exchanges: Exchange[]; next?: string; trail: string[] } | undefined>(
  undefined,
);
/** True when the record holds more than the newest page shows. */
export const moreRecorded = signal(false);
export const historyProblem = signal<string | undefined>(undefined);

export const live = computed(() => page.value.live);
export const ended = computed(() => page.value.ended);
export const models = computed(() => page.value.models);
export const sample = computed(() => page.value.sample);
/** One set of layers, and so of colours, for everything that shows memory. */
export const bands = computed(() => bandsOf(sample.value ? [...points.value, sample.value] : points.value));
export const health = computed(() => page.value.health);
export const verdict = computed(() => page.value.verdict);
export const chartSpanMs = computed(() => (chartWindows[windowIndex.value] ?? chartWindows[0]).spanMs);

/** Connects, and keeps time. */
export function start(): void {
  const url = new URL("./live", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  connect({
    url: url.href,
    onMessage: receive,
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

/** Shows the page before the one that is shown. */
export async function showOlder(): Promise<void> {
  const shown = olderPage.value;
  // The newest page moves while it is looked at, so its end is asked for when it is left.
  const before = shown ? shown.next : (await loadPage())?.next;
  if (before === undefined) return;
  const result = await loadPage(before);
  if (result) olderPage.value = { ...result, trail: [...(shown?.trail ?? []), before] };
}

/** Goes back one page towards the newest. */
export async function showNewer(): Promise<void> {
  const trail = olderPage.value?.trail.slice(0, -1) ?? [];
  const before = trail.at(-1);
  if (before === undefined) {
    olderPage.value = undefined;
    return;
  }
  const result = await loadPage(before);
  if (result) olderPage.value = { ...result, trail };
}

/** The record is read once the first snapshot has told the server's time: until then "the last ten minutes" are unknown. */
let seedWanted = false;

function seed(): void {
  seedWanted = false;
  void seedSamples();
  void seedExchanges();
}

function serverNow(): number {
  return Date.now() + page.value.clockOffsetMs;
}

function receive(message: ServerMessage): void {
  batch(() => {
    page.value = apply(page.value, message, Date.now());
    const newest = message.type === "sample" || message.type === "snapshot" ? page.value.sample : undefined;
    if (newest) points.value = appendSample(points.value, newest, chartSpanMs.value);
    if (message.type === "snapshot") now.value = serverNow();
  });
  if (message.type === "snapshot" && seedWanted) seed();
}

function opened(): void {
  const { lostAt } = connection.value;
  connection.value = lostAt === undefined ? {} : { regainedAt: serverNow() };
  seedWanted = true;
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
    const read = await readSamples({
      from: Math.floor(to - chartSpanMs.value),
      to: Math.ceil(to),
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

async function seedExchanges(): Promise<void> {
  const read = await loadPage();
  if (!read) return;
  page.value = addEnded(page.value, read.exchanges);
  moreRecorded.value = read.next !== undefined;
}

async function loadPage(before?: string): Promise<{ exchanges: Exchange[]; next?: string } | undefined> {
  try {
    const result = await readExchanges({ limit: endedKept, before });
    historyProblem.value = undefined;
    return result;
  } catch {
    historyProblem.value = "The record of exchanges could not be read.";
    return undefined;
  }
}
