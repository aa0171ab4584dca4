/** The page that a run leaves behind. */
import type { Verdict } from "./budgets.ts";
import type { Cell, Metric, Row } from "./summary.ts";
import { renderTable } from "./table.ts";

export interface CaseResult {
  name: string;
  title: string;
  about: string;
  metrics: Metric[];
  roundCount: number;
  rows: Row[];
}

export interface RunFacts {
  date: string;
  cores: number;
  system: string;
  nodeVersion: string;
  seed: number;
  quick: boolean;
  /** Set when the run went on although others used the processor. */
  busyOk: boolean;
  /** Largest share of all processors that other programs used during a round. */
  othersMaxRatio: number;
  /** Names and versions. */
  targets: { name: string; label: string; version?: string }[];
  skipped: { name: string; reason: string }[];
}

export interface Report {
  facts: RunFacts;
  cases: CaseResult[];
  verdicts: Verdict[];
}

/** Rounds below which medians of rounds are too coarse to be quoted. */
const ENOUGH_ROUNDS = 7;

export function renderReport(report: Report): string {
  const parts = [
    "# Measured side by side",
    renderFacts(report),
    ...(report.verdicts.length > 0 ? ["## Limits", renderVerdicts(report.verdicts)] : []),
    ...report.cases.flatMap((result) => [
      `## ${result.name}: ${result.title}`,
      result.about,
      renderCase(result),
      ...result.rows.flatMap((row) =>
        row.failure === undefined ? [] : `${row.label} failed: ${row.failure}`,
      ),
    ]),
    "Every figure is the median over the rounds, with the quartiles in brackets. “÷ nginx” is the median of the ratios within a round. “Added” is the difference to direct in the same round.",
  ];
  return `${parts.join("\n\n")}\n`;
}

function renderFacts({ facts, cases }: Report): string {
  const fewest = Math.min(
    ...cases.filter((result) => result.roundCount > 1).map((result) => result.roundCount),
  );
  const lines = [
    `- ${facts.date} · ${facts.cores} cores · ${facts.system} · Node ${facts.nodeVersion} · seed ${facts.seed}`,
    `- Targets: ${facts.targets.map(({ label, version }) => (version === undefined ? label : `${label} (${version})`)).join(" · ")}`,
    `- Other programs used at most ${(facts.othersMaxRatio * 100).toFixed(0)} % of the processors during a round`,
    ...facts.skipped.map(({ name, reason }) => `- Not measured: ${name}, ${reason}`),
  ];
  if (facts.busyOk) {
    lines.push("- **Run with `--busy-ok`: the machine may have been busy, do not quote these figures**");
  }
  if (facts.quick || fewest < ENOUGH_ROUNDS) {
    lines.push("- **Short run: fewer or shorter rounds than a result needs**");
  }
  return lines.join("\n");
}

function renderVerdicts(verdicts: readonly Verdict[]): string {
  return renderTable(
    ["Plimsoll", "limit", "measured", "met"],
    verdicts.map(({ promise, limit, measured, met }) => [
      promise,
      limit,
      measured.toFixed(2),
      met ? "yes" : "**no**",
    ]),
  );
}

function renderCase({ metrics, rows, roundCount }: CaseResult): string {
  const headings = metrics.flatMap((metric) =>
    metric.ratio === true ? [metric.label, "÷ nginx"] : [metric.label],
  );
  const body = rows.map((row) => [
    row.label,
    ...metrics.flatMap((metric) => {
      const cell = row.cells[metric.id];
      return metric.ratio === true
        ? [renderCell(cell, metric, roundCount), cell?.ratio?.toFixed(2) ?? "–"]
        : [renderCell(cell, metric, roundCount)];
    }),
  ]);
  return renderTable([roundCount === 1 ? "1 round" : `${roundCount} rounds`, ...headings], body);
}

function renderCell(cell: Cell | undefined, { decimals }: Metric, roundCount: number): string {
  if (cell === undefined) {
    return "–";
  }
  const figure = cell.median.toFixed(decimals);
  return roundCount === 1
    ? figure
    : `${figure} (${cell.lower.toFixed(decimals)}–${cell.upper.toFixed(decimals)})`;
}
