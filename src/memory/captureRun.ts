/** Recorded readings of a real Ollama: one JSON object a line, with the requests and the server's log of the same run. */
import type { MemorySample, RunnerSample } from "../types.ts";
import { unreclaimableBytes } from "./cgroup.ts";
import { ratesBetween, type CounterReading } from "./counters.ts";
import { hotMappedBytes, linuxHeadroom } from "./headroom.ts";
import { meminfoOf } from "./meminfo.ts";
import { relativeTimes, type RecordedRun } from "./recording.ts";

interface CapturedRow {
  t_ms?: number;
  meminfo_kB?: Record<string, number>;
  vmstat?: Record<string, number>;
  psi_memory?: { some?: { total?: number }; full?: { total?: number } };
  cgroup?: { version?: number; limit_bytes?: number; stat?: Record<string, number> };
  runners?: { pid: number; blob?: string | null; [field: string]: number | string | null | undefined }[];
}

const PAGE_BYTES = 4096;

/** Turns lines with `t_ms`, `meminfo_kB`, `vmstat`, `psi_memory`, `cgroup` and `runners` into samples. Throws with the line. */
export function parseCapturedRows(text: string): RecordedRun & { firstAtMs: number } {
  const rows = text
    .split("\n")
    .map((line, index) => ({ line: index + 1, text: line }))
    .filter((row) => row.text.trim() !== "")
    .map(({ line, text }) => ({ line, row: parseRow(text, line) }));
  if (rows.length === 0) throw new Error("line 1: holds no readings");
  const times = relativeTimes(
    rows,
    rows.map(({ row }) => row.t_ms),
  );
  const totalBytes = kibibytes(rows[0]?.row.meminfo_kB?.["MemTotal"]);
  if (totalBytes === undefined) throw new Error(`line ${rows[0]?.line ?? 1}: meminfo_kB has no MemTotal`);
  let previous: CounterReading | undefined;
  const samples = rows.map(({ row }, index): MemorySample => {
    const takenAt = times[index] ?? 0;
    const counters = countersOf(row, takenAt);
    const rates = ratesBetween(previous, counters, PAGE_BYTES);
    previous = counters;
    return { takenAt, ...levelsOf(row), ...rates, gpus: [], runners: runnersOf(row), problems: [] };
  });
  return { samples, totalBytes, firstAtMs: rows[0]?.row.t_ms ?? 0 };
}

function parseRow(text: string, line: number): CapturedRow {
  try {
    const row: unknown = JSON.parse(text);
    if (typeof row === "object" && row !== null && "t_ms" in row) return row as CapturedRow;
  } catch (error) {
    throw new Error(`line ${line}: is not valid JSON`, { cause: error });
  }
  throw new Error(`line ${line}: needs "t_ms" (milliseconds)`);
}

function levelsOf(row: CapturedRow): Partial<MemorySample> {
  const meminfo = meminfoOf((name) => kibibytes(row.meminfo_kB?.[name]));
  const { totalBytes, availableBytes, mappedBytes } = meminfo;
  const hotBytes = hotMappedBytes(
    runnersOf(row).map((runner, index) => ({
      ...runner,
      blobDigest: row.runners?.[index]?.blob ?? undefined,
    })),
    mappedBytes,
  );
  const limitBytes = row.cgroup?.limit_bytes;
  const usedBytes = row.cgroup?.stat && unreclaimable(row.cgroup.stat, row.cgroup.version, hotBytes);
  const group = limitBytes === undefined || usedBytes === undefined ? undefined : { limitBytes, usedBytes };
  return {
    ...meminfo,
    ...linuxHeadroom({
      totalBytes,
      availableBytes,
      hotMappedBytes: hotBytes,
      // A limit above the machine's memory never bites.
      groups: group === undefined || group.limitBytes >= (totalBytes ?? Infinity) ? [] : [group],
    }),
    limit: group && { bytes: group.limitBytes, usedBytes: group.usedBytes },
  };
}

function unreclaimable(stat: Record<string, number>, version = 2, hotBytes = 0): number | undefined {
  const text = Object.entries(stat)
    .map(([name, bytes]) => `${name} ${bytes}\n`)
    .join("");
  return unreclaimableBytes(text, version === 1 ? 1 : 2, hotBytes);
}

function runnersOf(row: CapturedRow): RunnerSample[] {
  return (row.runners ?? []).map((runner) => {
    const bytes = (name: string): number => {
      const value = runner[name];
      return typeof value === "number" ? value * 1024 : 0;
    };
    return {
      pid: runner.pid,
      anonymousBytes: bytes("RssAnon"),
      fileBytes: bytes("RssFile"),
      sharedBytes: bytes("RssShmem"),
      swappedBytes: bytes("VmSwap"),
    };
  });
}

function countersOf(row: CapturedRow, atMs: number): CounterReading {
  const vmstat = row.vmstat ?? {};
  const sum = (name: string, compressed: string): number | undefined =>
    vmstat[name] === undefined && vmstat[compressed] === undefined
      ? undefined
      : (vmstat[name] ?? 0) + (vmstat[compressed] ?? 0);
  return {
    atMs,
    counters: {
      swapOutPages: sum("pswpout", "zswpout"),
      swapInPages: sum("pswpin", "zswpin"),
      refaultPages: vmstat["workingset_refault_file"],
      kswapdScanPages: vmstat["pgscan_kswapd"],
      pressureSomeMicroseconds: row.psi_memory?.some?.total,
      pressureFullMicroseconds: row.psi_memory?.full?.total,
    },
  };
}

function kibibytes(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1024;
}
