/** Can the record be written, and does time make sense? */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { openReader } from "../../store/readOnly.ts";
import type { Check } from "./check.ts";

const GIBIBYTE = 1024 ** 3;
const LITTLE_BYTES = GIBIBYTE;
/** SQLite's log needs memory shared between processes, which these do not have (statfs(2), sqlite.org/wal.html). */
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9p"],
]);

export interface RecordFacts {
  newestAt?: number;
}

export function checkRecord(dataDir: string, knownVersion: number): { check: Check; facts: RecordFacts } {
  const id = "record";
  if (dataDir === ":memory:") {
    return { check: { id, state: "note", text: "kept in memory only, gone at the end" }, facts: {} };
  }
  try {
    const folder = nearestExisting(dataDir);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    const file = join(dataDir, "plimsoll.db");
    const { bytes, newestAt } = readRecord(dataDir, file, knownVersion);
    const advice = diskAdvice(folder);
    const text =
      bytes === undefined ? `${dataDir} (nothing yet)` : `${dataDir}, ${(bytes / 1024 ** 2).toFixed(1)} MiB`;
    return {
      check: {
        id,
        state: advice.length === 0 ? "good" : "warning",
        text,
        ...(advice.length > 0 && { advice }),
      },
      facts: newestAt === undefined ? {} : { newestAt },
    };
  } catch (error) {
    const text = `${dataDir}: ${error instanceof Error ? error.message : String(error)}`;
    const advice = [
      "make it writable, or choose another with --data-dir; without it chats are forwarded and not recorded",
    ];
    return { check: { id, state: "failed", text, advice }, facts: {} };
  }
}

function readRecord(
  dataDir: string,
  file: string,
  knownVersion: number,
): { bytes?: number; newestAt?: number | undefined } {
  if (!existsSync(file)) {
    return {};
  }
  const reader = openReader(dataDir, knownVersion);
  try {
    return { bytes: statSync(file).size, newestAt: reader.newestAt() };
  } finally {
    reader.close();
  }
}

function diskAdvice(folder: string): string[] {
  const { bavail, bsize, type } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const network = NETWORK_FILE_SYSTEMS.get(type);
  return [
    ...(freeBytes < LITTLE_BYTES
      ? [
          `only ${(freeBytes / GIBIBYTE).toFixed(2)} GiB are free there: recording stops when the disk is full`,
        ]
      : []),
    ...(network === undefined
      ? []
      : [`it lies on ${network}, where SQLite's log cannot be relied on: choose a local disk`]),
  ];
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

const EARLIEST_AT = Date.UTC(2025, 0, 1);
const TOLERANCE_MS = 60_000;

/** `upstreamAt` is what Ollama's machine believes; it differs only where that is another machine. */
export function checkClock(facts: {
  now: number;
  newestAt?: number | undefined;
  upstreamAt?: number | undefined;
  synchronised?: boolean | undefined;
}): Check {
  const { now, newestAt, upstreamAt } = facts;
  const wrong = [
    ...(now < EARLIEST_AT ? ["the clock is years behind: set it, or times on the page are wrong"] : []),
    ...(newestAt !== undefined && newestAt > now + TOLERANCE_MS
      ? [`the newest record is ${minutes(newestAt - now)} min in the future: the clock was set back since`]
      : []),
    ...(upstreamAt !== undefined && Math.abs(upstreamAt - now) > TOLERANCE_MS
      ? [
          `Ollama's clock differs by ${minutes(upstreamAt - now)} min: "until" times of models are off by that`,
        ]
      : []),
  ];
  const unsure = facts.synchronised === false ? ["the system does not report its clock as synchronised"] : [];
  const advice = [...wrong, ...unsure];
  return {
    id: "clock",
    state: wrong.length > 0 ? "warning" : unsure.length > 0 ? "note" : "good",
    text: new Date(now).toISOString(),
    ...(advice.length > 0 && { advice }),
  };
}

function minutes(ms: number): string {
  return (ms / 60_000).toFixed(0);
}

/** Known only where systemd keeps the time. */
export function clockIsSynchronised(runRoot = "/run"): boolean | undefined {
  return existsSync(`${runRoot}/systemd/timesync`)
    ? existsSync(`${runRoot}/systemd/timesync/synchronized`)
    : undefined;
}
