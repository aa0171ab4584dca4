import { parseCapturedRows } from "./captureRun.ts";
import { parseCsv } from "./csv.ts";
import { parseExportedRows } from "./exportedRun.ts";
import { parseProcRows } from "./procRun.ts";
import type { RecordedRun, RunFacts } from "./recording.ts";

/** The name under which `runs.json` knows a recording. */
export function runName(fileName: string): string {
  return fileName.replace(/^.*[\\/]/, "").replace(/(\.samples)?\.(csv|jsonl)$/i, "");
}

/**
 * Reads recorded memory: lines of JSON (`….samples.jsonl`, see captureRun.ts), or a `/proc`-style CSV (`t` in seconds, `MemAvailable` and its like in kB, `pswpout` and its
 * like in pages of 4 KiB, `psi_some_us` in microseconds), or our own export (columns named as the fields of a sample).
 * The total comes from a `totalBytes` column or from `runs`, the runs of a `runs.json`. Rates and headroom are computed as
 * for live readings. Throws with file, line and what was expected.
 */
export function parseRecordedRun(
  text: string,
  options: { fileName: string; runs?: Readonly<Record<string, RunFacts>> },
): RecordedRun {
  const name = options.fileName.replace(/^.*[\\/]/, "");
  const facts = options.runs?.[runName(name)] ?? {};
  try {
    if (/\.jsonl$/i.test(name)) return parseCapturedRows(text);
    const { columns, rows } = parseCsv(text);
    if (rows.length === 0) throw new Error("line 1: holds no readings");
    if (columns.has("takenAt")) return parseExportedRows(rows, facts);
    if (columns.has("t") || columns.has("ts")) return parseProcRows(rows, columns, facts);
    throw new Error('line 1: needs a column "t" (seconds) or "takenAt" (epoch milliseconds)');
  } catch (error) {
    throw new Error(`${name}, ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
