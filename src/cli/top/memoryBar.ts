/** The machine's memory as one line of characters, and what each of them stands for. Pure. */
import { residentBytes } from "../../predict/runnerBytes.ts";
import type { LoadedModel, MemorySample } from "../../types.ts";
import type { Style } from "./cells.ts";
import { columnsOf, type Paint } from "./cells.ts";
import { bytes } from "./words.ts";

interface Part {
  label: string;
  /** A shape of its own: colour alone must not carry the difference. */
  sign: string;
  style: Style;
  bytes: number;
}

/** Divides memory as the page does: weights first, then cells, then computing, the rest is prompt cache up to its limit. */
export function memoryParts(sample: MemorySample, models: readonly LoadedModel[]): Part[] {
  const used = (sample.totalBytes ?? 0) - (sample.availableBytes ?? 0);
  const sums = { weights: 0, compute: 0, kv: 0, cache: 0, rest: 0 };
  let held = 0;
  for (const runner of sample.runners ?? []) {
    held += runner.anonymousBytes + runner.sharedBytes;
    let left = residentBytes(runner);
    const take = (most = 0): number => {
      const taken = Math.max(0, Math.min(left, most));
      left -= taken;
      return taken;
    };
    const expected = models.find(({ name }) => name === runner.model)?.predicted;
    if (expected !== undefined) {
      sums.weights += take(expected.weightsBytes?.hostBytes);
      sums.kv += take(expected.kvCacheBytes.hostBytes + expected.recurrentStateBytes.hostBytes);
      sums.compute += take(
        expected.computeBytes.hostBytes + (expected.outputBytes ?? 0) + (expected.processBytes ?? 0),
      );
      sums.cache += take(expected.promptCacheLimitBytes);
    }
    sums.rest += left;
  }
  const parts: Part[] = [
    { label: "other programs", sign: "░", style: "dim", bytes: Math.max(0, used - held) },
    { label: "weights", sign: "█", style: "weights", bytes: sums.weights },
    { label: "compute", sign: "▓", style: "weights", bytes: sums.compute },
    { label: "KV cache", sign: "▞", style: "kv", bytes: sums.kv },
    { label: "prompt cache", sign: "▚", style: "cache", bytes: sums.cache },
    { label: "rest", sign: "▒", style: "rest", bytes: sums.rest },
  ];
  return parts.filter((part) => part.bytes > 0);
}

/** The bar: its parts, and the load line where swapping starts. */
export function memoryBar(sample: MemorySample, parts: readonly Part[], width: number, paint: Paint): string {
  const total = sample.totalBytes ?? 1;
  const line = lineBytes(sample, parts);
  const lineAt = line === undefined ? -1 : Math.min(width - 1, Math.round((line / total) * width));
  let edge = 0;
  const cells = Array.from({ length: width }, (): { sign: string; style?: Style } => ({
    sign: "·",
    style: "dim",
  }));
  for (const part of parts) {
    const from = Math.round((edge / total) * width);
    edge += part.bytes;
    cells.fill(part, from, Math.min(width, Math.round((edge / total) * width)));
  }
  if (lineAt >= 0) {
    cells[lineAt] = { sign: "│", style: "bad" };
  }
  return cells.map(({ sign, style }) => paint(style, sign)).join("");
}

function lineBytes(sample: MemorySample, parts: readonly Part[]): number | undefined {
  const { totalBytes, floorBytes, headroomBytes, limit } = sample;
  if (!limit && totalBytes !== undefined && floorBytes !== undefined) {
    return totalBytes - floorBytes;
  }
  return headroomBytes === undefined
    ? undefined
    : parts.reduce((sum, part) => sum + part.bytes, headroomBytes);
}

/** `█ weights 5.7 GiB  ▞ KV cache 1 GiB`, in as many lines as it takes. */
export function memoryLegend(parts: readonly Part[], width: number, paint: Paint): string[] {
  const lines: { text: string; columns: number }[] = [];
  for (const { label, sign, style, bytes: size } of parts) {
    const words = ` ${label} ${bytes(size)}`;
    const columns = 1 + columnsOf(words);
    const last = lines.at(-1);
    if (last === undefined || last.columns + 2 + columns > width) {
      lines.push({ text: paint(style, sign) + words, columns });
    } else {
      last.text += `  ${paint(style, sign)}${words}`;
      last.columns += 2 + columns;
    }
  }
  return lines.map(({ text }) => text);
}

const STEPS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** The latest of a row of figures as blocks; a space where there is none. */
export function spark(values: readonly (number | undefined)[], top: number, width: number): string {
  return values
    .slice(-width)
    .map((value) =>
      value === undefined
        ? " "
        : (STEPS[Math.min(STEPS.length - 1, Math.floor((value / top) * STEPS.length))] ?? " "),
    )
    .join("");
}
