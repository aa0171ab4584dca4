import type { MemorySample } from "../types.ts";
import { ratesBetween, type CounterReading } from "./counters.ts";
import type { CsvRow } from "./csv.ts";
import { linuxHeadroom, type GroupUse } from "./headroom.ts";
import { meminfoOf } from "./meminfo.ts";
import { relativeTimes, type RecordedRun, type RunFacts } from "./recording.ts";

/** The recordings count pages of 4 KiB, whatever machine they are played on. */
const PAGE_BYTES = 4096;
const MISSING_TOTAL =
  'line 1: the machine\'s memory is not known: add a column "totalBytes" or an entry for this file in runs.json beside it';

/** Turns rows of `/proc` figures (`t` in seconds or `ts` in ms, kB, pages, microseconds) into samples, as for live readings. */
export function parseProcRows(
  rows: readonly CsvRow[],
  columns: ReadonlySet<string>,
  facts: RunFacts,
): RecordedRun {
  if (!columns.has("MemAvailable") && !columns.has("MemAvailable_kB"))
    throw new Error('line 1: needs a column "MemAvailable" (kB)');
  const totalBytes = rows[0]?.number("totalBytes") ?? facts.totalBytes;
  if (totalBytes === undefined) throw new Error(MISSING_TOTAL);
  const column = facts.groupUsageColumn;
  if (column !== undefined && !columns.has(column)) {
    throw new Error(`line 1: runs.json names a column "${column}", which is not there`);
  }
  const times = relativeTimes(
    rows,
    rows.map((row) => toMs(row.number("t")) ?? row.number("ts")),
  );
  let previous: CounterReading | undefined;
  const samples = rows.map((row, index): MemorySample => {
    const takenAt = times[index] ?? 0;
    const counters = countersOf(row, takenAt);
    const rates = ratesBetween(previous, counters, PAGE_BYTES);
    previous = counters;
    return { takenAt, ...levelsOf(row, totalBytes, facts), ...rates, gpus: [], runners: [], problems: [] };
  });
  return { samples, totalBytes };
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function levelsOf(row: CsvRow, totalBytes: number, facts: RunFacts): Partial<MemorySample> {
  const meminfo = meminfoOf((name) => {
    const kibibytes = row.number(name) ?? row.number(`${name}_kB`);
    return kibibytes === undefined ? undefined : kibibytes * 1024;
  });
  const { availableBytes, mappedBytes } = meminfo;
  const group = groupOf(row, facts);
  return {
    ...meminfo,
    totalBytes,
    ...linuxHeadroom({
      totalBytes,
      availableBytes,
      hotMappedBytes: facts.mappedWeights === true ? (mappedBytes ?? 0) : 0,
      groups: group === undefined ? [] : [group],
    }),
    limit: group && { bytes: group.limitBytes, usedBytes: group.usedBytes },
  };
}

/** As `runs.json` says, else from columns in bytes: the limit, and what programs hold of it. */
function groupOf(row: CsvRow, facts: RunFacts): GroupUse | undefined {
  const limitBytes = facts.groupLimitBytes ?? row.number("cg_limit");
  const usedBytes =
    facts.groupUsageColumn === undefined ? row.number("cg_rss") : row.number(facts.groupUsageColumn);
  return limitBytes === undefined || usedBytes === undefined ? undefined : { limitBytes, usedBytes };
}

function countersOf(row: CsvRow, atMs: number): CounterReading {
  const sum = (name: string, compressed: string): number | undefined => {
    const pages = row.number(name);
    const compressedPages = row.number(compressed);
    return pages === undefined && compressedPages === undefined
      ? undefined
      : (pages ?? 0) + (compressedPages ?? 0);
  };
  return {
    atMs,
    counters: {
      swapOutPages: sum("pswpout", "zswpout"),
      swapInPages: sum("pswpin", "zswpin"),
      refaultPages: row.number("workingset_refault_file") ?? row.number("refault_file"),
      kswapdScanPages: row.number("pgscan_kswapd"),
      pressureSomeMicroseconds: row.number("psi_some_us") ?? row.number("psi_some"),
      pressureFullMicroseconds: row.number("psi_full_us") ?? row.number("psi_full"),
    },
  };
}
