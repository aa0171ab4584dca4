import { describe, expect, it } from "vitest";
import { judge } from "../../bench/report/budgets.ts";
import { renderReport, type CaseResult, type Report, type RunFacts } from "../../bench/report/report.ts";
import type { Cell, Row } from "../../bench/report/summary.ts";
import { renderTable } from "../../bench/report/table.ts";

const FACTS: RunFacts = {
  date: "2025-01-31",
  cores: 2,
  system: "Linux 6.1",
  nodeVersion: "24.0.0",
  seed: 5,
  quick: false,
  busyOk: false,
  othersMaxRatio: 0.031,
  targets: [
    { name: "direct", label: "direct" },
    { name: "nginx", label: "nginx", version: "1.2.3" },
  ],
  skipped: [{ name: "haproxy", reason: "it is not installed" }],
};

function cell(median: number, ratio?: number): Cell {
  return { median, lower: median - 0.5, upper: median + 0.5, ratio, rounds: [median] };
}

function row(target: string, cells: Record<string, Cell>, failure?: string): Row {
  return { target, label: target, cells, failure };
}

function caseOf(rows: Row[], parts: Partial<CaseResult> = {}): CaseResult {
  return {
    name: "streams-64",
    title: "chunks",
    about: "How.",
    metrics: [{ id: "addedP50Ms", label: "added p50, ms", decimals: 2, ratio: true }],
    roundCount: 7,
    rows,
    ...parts,
  };
}

function render(cases: CaseResult[], facts: Partial<RunFacts> = {}): string {
  const report: Report = { facts: { ...FACTS, ...facts }, cases, verdicts: judge(cases) };
  return renderReport(report);
}

describe("renderReport", () => {
  it("shows median, quartiles and the ratio to nginx", () => {
    const page = render([caseOf([row("plimsoll", { addedP50Ms: cell(1.25, 1.4) })])]);
    expect(page).toMatch(/^\| plimsoll +\| 1\.25 \(0\.75–1\.75\) \| +1\.40 \|$/m);
    expect(page).toContain("| 7 rounds ");
  });

  it("shows a dash for what was not measured, and why a target failed", () => {
    const page = render([caseOf([row("direct", {}), row("haproxy", {}, "the connection closed")])]);
    expect(page).toMatch(/^\| direct +\| +– \| +– \|$/m);
    expect(page).toContain("haproxy failed: the connection closed");
  });

  it("shows no quartiles of a single round", () => {
    const page = render([caseOf([row("plimsoll", { addedP50Ms: cell(1.25) })], { roundCount: 1 })]);
    expect(page).toMatch(/\| plimsoll +\| +1\.25 \|/);
  });

  it("says what the machine is, what was skipped and how busy it was", () => {
    const page = render([caseOf([])]);
    expect(page).toContain("2025-01-31 · 2 cores · Linux 6.1 · Node 24.0.0 · seed 5");
    expect(page).toContain("nginx (1.2.3)");
    expect(page).toContain("Not measured: haproxy, it is not installed");
    expect(page).toContain("at most 3 % of the processors");
    expect(page).not.toContain("--busy-ok");
    expect(page).not.toContain("Short run");
  });

  it.each([
    ["--busy-ok", { busyOk: true }, 7],
    ["Short run", { quick: true }, 7],
    ["Short run", {}, 6],
  ])("warns of %s", (words, facts, roundCount) => {
    expect(render([caseOf([], { roundCount })], facts)).toContain(words);
  });
});

describe("judge", () => {
  it.each([
    ["met", 1.5, true],
    ["missed", 1.51, false],
  ])("says that a limit is %s", (_, ratio, met) => {
    const [verdict] = judge([caseOf([row("plimsoll", { addedP50Ms: cell(0.4, ratio) })])]);
    expect(verdict).toMatchObject({ caseName: "streams-64", limit: "at most 1.5", measured: ratio, met });
  });

  it("holds throughput to a lower limit", () => {
    const result = caseOf([row("plimsoll", { streamsPerSecond: cell(100, 0.7) })], { name: "throughput" });
    expect(judge([result])).toMatchObject([{ limit: "at least 0.75", met: false }]);
  });

  it("compares with another row where the promise does", () => {
    const result = caseOf(
      [row("nginx", { addedP50Ms: cell(0.2) }), row("plimsoll", { addedP50Ms: cell(0.45) })],
      { name: "first-byte" },
    );
    const [verdict] = judge([result]);
    expect(verdict?.measured).toBeCloseTo(0.25);
    expect(verdict?.met).toBe(true);
  });

  it("says nothing about what was not measured", () => {
    expect(judge([caseOf([row("nginx", { addedP50Ms: cell(1, 1) })])])).toEqual([]);
    expect(judge([])).toEqual([]);
  });
});

describe("renderTable", () => {
  it("aligns text to the left and figures to the right", () => {
    expect(
      renderTable(
        ["target", "ms"],
        [
          ["direct", "1.25"],
          ["a", "–"],
        ],
      ),
    ).toBe(["| target |   ms |", "| ------ | ---: |", "| direct | 1.25 |", "| a      |    – |"].join("\n"));
  });
});
