/** The comparison as a section of results.md, put where the one before stood. */
import type { AlertComparison } from "./compare.ts";

const BEGIN = "<!-- alerts: made by npm run bench:alerts -->";
const END = "<!-- end of alerts -->";

export function alertSection({ detectors, runs, noise }: AlertComparison): string {
  const names = detectors.map(({ name }) => name);
  const rows = runs.map(({ run, event, outcomes }) => [
    run,
    event,
    ...names.map((name) => cell(outcomes[name])),
  ]);
  const quiet = [
    `${noise.hours} h of use without swap`,
    "none",
    ...names.map((name) => falseText(noise.falseAlarms[name])),
  ];
  return [
    BEGIN,
    "## alerts: seconds of warning before swapping",
    "The same recorded seconds, one reading a second, through each program's rule with its published defaults. Positive is before the first swapped page (or the first re-read weights), negative would be after; – is never. False alarms in brackets, where there are any: what began with no event within 120 s, by the same count for all.",
    table(["run", "event", ...names], [...rows, quiet]),
    detectors.map(({ name, rule }) => `- ${name}: ${rule}`).join("\n"),
    "The rules of earlyoom and systemd-oomd act on programs when it already hurts, so that they stay silent before is by design. Recordings: `test/fixtures/memory-runs`, `swap-captures` and `real-event`; the day of use is simulated (`bench/alerts/noise.ts`, seed 1).",
    END,
  ].join("\n\n");
}

/** `page` with its section replaced, or added at the end. */
export function withAlertSection(page: string, section: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from === -1 || to === -1) return `${page.trimEnd()}\n\n${section}\n`;
  return `${page.slice(0, from)}${section}${page.slice(to + END.length)}`;
}

function cell(outcome: { leadSeconds: number | null; falseAlarms: number } | undefined): string {
  if (outcome === undefined) return "";
  const lead = outcome.leadSeconds === null ? "–" : outcome.leadSeconds.toFixed(1);
  return outcome.falseAlarms === 0 ? lead : `${lead} (${outcome.falseAlarms})`;
}

function falseText(count: number | undefined): string {
  return count === undefined ? "" : `(${count})`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => (column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column < 2 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(header), rule, ...rows.map(line)].join("\n");
}
