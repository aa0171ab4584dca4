import { computed, signal } from "@preact/signals";
import type { Exchange, Load } from "../src/types.ts";
import { loadWords } from "./marks.ts";
import { ended, loads, moreRecorded, older, readOlder } from "./store.ts";
import { noticeWords } from "./words.ts";

/** The table of what was predicted and what came: which rows, which columns. */

export type LedgerRow =
  | { id: string; at: number; exchange: Exchange; load?: undefined }
  | { id: string; at: number; load: Load; exchange?: undefined };

export const rowsPerPage = 50;
const searchedAtMost = 1000;

export const filter = signal("");
export const pageIndex = signal(0);

/** All rows that are known here, newest first. Loads older than the oldest exchange wait for it. */
const allRows = computed((): LedgerRow[] => {
  const exchanges = [...ended.value, ...older.value];
  const oldest = moreRecorded.value === undefined ? 0 : (exchanges.at(-1)?.startedAt ?? 0);
  return [
    ...exchanges.map((exchange) => ({ id: exchange.id, at: exchange.startedAt, exchange })),
    ...loads.value
      .filter(({ startedAt }) => startedAt >= oldest)
      .map((load) => ({ id: `load-${load.id}`, at: load.startedAt, load })),
  ].toSorted((a, b) => b.at - a.at);
});

export const foundRows = computed(() => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return allRows.value;
  return allRows.value.filter((row) => {
    const text = rowText(row);
    return words.every((word) => text.includes(word));
  });
});

export const shownRows = computed(() =>
  foundRows.value.slice(pageIndex.value * rowsPerPage, (pageIndex.value + 1) * rowsPerPage),
);

export const hasOlder = computed(
  () =>
    foundRows.value.length > (pageIndex.value + 1) * rowsPerPage ||
    (filter.value === "" && moreRecorded.value !== undefined),
);

/** What a filter looks through. */
function rowText({ exchange, load }: LedgerRow): string {
  if (load) return `load ${loadWords(load)}`.toLowerCase();
  const { model, client, operation, path, state, notices, conversationId } = exchange;
  const said = notices.map(({ kind }) => `${kind} ${noticeWords[kind] ?? ""}`);
  return [model, client.name, client.userAgent, operation, path, state.phase, conversationId, ...said]
    .filter(Boolean)
    .join(" ")
    .toLowerCase();
}

export async function showOlder(): Promise<void> {
  const next = pageIndex.value + 1;
  if (foundRows.value.length <= next * rowsPerPage) await readOlder(200);
  if (foundRows.value.length > next * rowsPerPage) pageIndex.value = next;
}

export function showNewer(): void {
  pageIndex.value = Math.max(0, pageIndex.value - 1);
}

/** Looks through the latest thousand: what is known first, then what the record has. */
export function setFilter(text: string): void {
  filter.value = text;
  pageIndex.value = 0;
  const missing = searchedAtMost - ended.value.length - older.value.length;
  if (text !== "" && missing > 0) void readOlder(missing);
}

const storageKey = "plimsoll-columns";

/** The columns that are shown besides those of their groups; absent names are hidden. */
export const chosenColumns = signal<ReadonlySet<string>>(stored());

export function toggleColumn(id: string): void {
  const next = new Set(chosenColumns.value);
  if (!next.delete(id)) next.add(id);
  chosenColumns.value = next;
  try {
    localStorage.setItem(storageKey, [...next].join());
  } catch {
    // Storage can be switched off; the choice then lasts as long as the page.
  }
}

function stored(): ReadonlySet<string> {
  const usual = "time,client,model,outcome,contextTokensUsed,firstTokenMs,decodeTokensPerSecond,runnerBytes";
  try {
    return new Set((localStorage.getItem(storageKey) ?? usual).split(","));
  } catch {
    return new Set(usual.split(","));
  }
}
