/** What Plimsoll promises, put beside what was measured. */
import type { Cell, Row } from "./summary.ts";

interface Budget {
  caseName: string;
  metric: string;
  /** Default `plimsoll`. */
  target?: string;
  promise: string;
  limit: number;
  direction: "at most" | "at least";
  /** Which figure is held against the limit. */
  figure: (cell: Cell, row: (target: string) => Row | undefined) => number | undefined;
}

export interface Verdict {
  caseName: string;
  promise: string;
  limit: string;
  measured: number;
  met: boolean;
}

const ratio = (cell: Cell): number | undefined => cell.ratio;
const value = (cell: Cell): number => cell.median;

const BUDGETS: readonly Budget[] = [
  {
    caseName: "throughput",
    metric: "streamsPerSecond",
    promise: "streams per second, ÷ nginx",
    limit: 0.75,
    direction: "at least",
    figure: ratio,
  },
  {
    caseName: "streams-64",
    metric: "addedP50Ms",
    promise: "added delay per chunk at 64 streams, p50 ÷ nginx",
    limit: 1.5,
    direction: "at most",
    figure: ratio,
  },
  {
    caseName: "streams-64",
    metric: "addedP99Ms",
    promise: "added delay per chunk at 64 streams, p99, ms",
    limit: 2,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "first-byte",
    metric: "addedP50Ms",
    promise: "added time to first byte, p50 over nginx's, ms",
    limit: 0.3,
    direction: "at most",
    figure: (cell, row) => difference(cell, row("nginx")?.cells["addedP50Ms"]),
  },
  {
    caseName: "big-request",
    metric: "excessMaxMs",
    promise: "a 20 MB request delays another stream's chunks, worst over direct's, ms",
    limit: 5,
    direction: "at most",
    figure: (cell, row) => difference(cell, row("direct")?.cells["excessMaxMs"]),
  },
  {
    caseName: "streams-64",
    metric: "rssMiB",
    target: "plimsoll-page",
    promise: "RSS with 64 streams, recording and a page open, MiB",
    limit: 150,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "idle",
    metric: "cpuPercent",
    promise: "idle with sampling, % of one core",
    limit: 0.5,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "upload",
    metric: "rssGrowthMiB",
    promise: "RSS growth during the upload, MiB",
    limit: 32,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "predict",
    metric: "medianUs",
    target: "estimate llama-3.1-8b",
    promise: "one estimate of a dense model, µs",
    limit: 100,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "predict",
    metric: "medianUs",
    target: "estimate qwen3-30b-a3b",
    promise: "one estimate of a mixture of experts, µs",
    limit: 100,
    direction: "at most",
    figure: value,
  },
  {
    caseName: "predict",
    metric: "medianUs",
    target: "guess",
    promise: "the guess on an exchange, µs",
    limit: 50,
    direction: "at most",
    figure: value,
  },
];

/** The promises that this run can speak about: those whose case ran and whose figure exists. */
export function judge(results: readonly { name: string; rows: readonly Row[] }[]): Verdict[] {
  return BUDGETS.flatMap((budget) => {
    const rows = results.find((result) => result.name === budget.caseName)?.rows ?? [];
    const row = (target: string): Row | undefined => rows.find((candidate) => candidate.target === target);
    const cell = row(budget.target ?? "plimsoll")?.cells[budget.metric];
    const measured = cell && budget.figure(cell, row);
    if (measured === undefined) {
      return [];
    }
    const met = budget.direction === "at most" ? measured <= budget.limit : measured >= budget.limit;
    const { caseName, promise } = budget;
    return [{ caseName, promise, limit: `${budget.direction} ${budget.limit}`, measured, met }];
  });
}

function difference(cell: Cell, other: Cell | undefined): number | undefined {
  return other === undefined ? undefined : cell.median - other.median;
}
