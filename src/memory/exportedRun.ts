import type { MemorySample } from "../types.ts";
import type { CsvRow } from "./csv.ts";
import { linuxHeadroom } from "./headroom.ts";
import { relativeTimes, type RecordedRun, type RunFacts } from "./recording.ts";
import { RATES } from "./thin.ts";

/** The figures of a sample that are one cell each in an export. */
const FIGURES = [
  "totalBytes",
  "availableBytes",
  "headroomBytes",
  "floorBytes",
  "anonymousBytes",
  "mappedBytes",
  "swapTotalBytes",
  "swapUsedBytes",
  ...RATES,
] as const satisfies readonly (keyof MemorySample)[];

/** Turns rows of our own export back into samples. Headroom is computed anew where the export has none. */
export function parseExportedRows(rows: readonly CsvRow[], facts: RunFacts): RecordedRun {
  const totalBytes = rows[0]?.number("totalBytes") ?? facts.totalBytes;
  if (totalBytes === undefined) {
    throw new Error(`line ${rows[0]?.line ?? 1}: totalBytes is missing: the machine's memory is not known`);
  }
  const times = relativeTimes(
    rows,
    rows.map((row) => row.number("takenAt")),
  );
  const samples = rows.map((row, index): MemorySample => {
    const figures: Partial<MemorySample> = { totalBytes };
    for (const name of FIGURES) figures[name] = row.number(name) ?? figures[name];
    const bytes = row.number("limitBytes");
    const usedBytes = row.number("limitUsedBytes");
    const limit = bytes === undefined || usedBytes === undefined ? undefined : { bytes, usedBytes };
    const headroom =
      figures.headroomBytes === undefined
        ? linuxHeadroom({
            totalBytes,
            availableBytes: figures.availableBytes,
            hotMappedBytes: 0,
            groups: limit === undefined ? [] : [{ limitBytes: limit.bytes, usedBytes: limit.usedBytes }],
          })
        : undefined;
    return {
      takenAt: times[index] ?? 0,
      ...figures,
      ...headroom,
      limit,
      gpus: [],
      runners: [],
      problems: [],
    };
  });
  return { samples, totalBytes };
}
