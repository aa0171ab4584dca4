import { computed, signal } from "@preact/signals";
import { findRows, ledgerRows } from "./ledgerRows.ts";
import { ended, loads, moreRecorded, older, readOlder } from "./store.ts";

/** The table of what was predicted and what came: which rows, which columns. */

const rowsPerPage = 50;
const searchedAtMost = 1000;

export const filter = signal("");
export const pageIndex = signal(0);

const allRows = computed(() =>
  ledgerRows([...ended.value, ...older.value], loads.value, moreRecorded.value === undefined),
);

export const foundRows = computed(() => findRows(allRows.value, filter.value));

export const shownRows = computed(() =>
  foundRows.value.slice(pageIndex.value * rowsPerPage, (pageIndex.value + 1) * rowsPerPage),
);

export const hasOlder = computed(
  () =>
    foundRows.value.length > (pageIndex.value + 1) * rowsPerPage ||
    (filter.value === "" && moreRecorded.value !== undefined),
);

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
