import type { SamplePoint } from "../src/types.ts";
import { bandLabels, usedBytes } from "./bands.ts";
import { formatBytes, formatSoon, formatTime } from "./format.ts";
import type { ForecastLine } from "./forecastLine.ts";
import type { Series } from "./series.ts";
import { headroomWords } from "./words.ts";

/** What the chart shows, in words: for its caption, for the cursor, and for those who do not see it. */

/** One or two sentences about the whole window. */
export function summaryWords(
  series: Series,
  points: readonly SamplePoint[],
  forecast?: ForecastLine,
): string {
  const last = points.at(-1);
  if (!last) return "No samples yet.";
  const parts = [];
  const used = usedBytes(last);
  if (used !== undefined) parts.push(`${formatBytes(used)} of ${formatBytes(last.totalBytes)} used now`);
  const lowest = lowestHeadroom(points);
  if (lowest)
    parts.push(`at worst ${headroomWords(lowest.bytes, last.swapTotalBytes)} at ${formatTime(lowest.at)}`);
  if (forecast?.crossesAt !== undefined)
    parts.push(`expected to reach swap in about ${formatSoon((forecast.crossesAt - last.takenAt) / 1000)}`);
  const sentence = parts.length > 0 ? `${parts.join("; ")}.` : "";
  return [sentence, gapWords(series)].filter(Boolean).join(" ");
}

/** The bytes of each band at one moment. */
export function momentWords(series: Series, at: number): string {
  const bytes = bytesAt(series, at);
  if (!bytes) return "no sample";
  return series.kinds.map((kind, index) => `${bandLabels[kind]} ${formatBytes(bytes[index])}`).join(", ");
}

/** Bytes of each band, bottom first, at the point nearest to a moment; absent in a gap. */
export function bytesAt(series: Series, at: number | undefined): number[] | undefined {
  const index = at === undefined ? series.times.length - 1 : indexAt(series.times, at);
  const edges = series.edges.map((column) => column[index]);
  const bytes: number[] = [];
  let below = 0;
  for (const edge of edges) {
    if (edge === null || edge === undefined) return undefined;
    bytes.push(edge - below);
    below = edge;
  }
  return bytes;
}

/** The last row that is not later than a moment; −1 before the first. */
export function indexAt(times: readonly number[], at: number): number {
  return times.findLastIndex((time) => time <= at);
}

function gapWords({ gaps }: Series): string {
  const last = gaps.at(-1);
  if (!last) return "";
  const stretch = `${formatTime(last.from)} to ${formatTime(last.to)}`;
  return gaps.length === 1
    ? `No samples from ${stretch}.`
    : `${gaps.length} gaps without samples, the last from ${stretch}.`;
}

function lowestHeadroom(points: readonly SamplePoint[]): { bytes: number; at: number } | undefined {
  let lowest: { bytes: number; at: number } | undefined;
  for (const point of points) {
    const bytes = point.min?.headroomBytes ?? point.headroomBytes;
    if (bytes !== undefined && (lowest === undefined || bytes < lowest.bytes))
      lowest = { bytes, at: point.takenAt };
  }
  return lowest;
}
