import { describe, expect, it } from "vitest";
import { addDifferences } from "../../bench/cases/case.ts";
import { summarise, type Round } from "../../bench/report/summary.ts";

const METRICS = [
  { id: "p50Ms", label: "p50, ms", decimals: 2, ratio: true },
  { id: "count", label: "count", decimals: 0 },
];
const TARGETS = [
  { name: "nginx", label: "nginx" },
  { name: "ours", label: "Ours" },
];

function round(values: Record<string, Record<string, number>>, failures: Record<string, string> = {}): Round {
  return { values: new Map(Object.entries(values)), failures: new Map(Object.entries(failures)) };
}

function rowOf(name: string, rounds: Round[]) {
  const rows = summarise({ metrics: METRICS, targets: TARGETS, rounds, reference: "nginx" });
  return rows.find((row) => row.target === name);
}

describe("summarise", () => {
  it("gives the median of the rounds with its quartiles", () => {
    const rounds = [1, 5, 2, 4, 3].map((value) => round({ ours: { p50Ms: value } }));
    expect(rowOf("ours", rounds)?.cells["p50Ms"]).toMatchObject({
      median: 3,
      lower: 2,
      upper: 4,
      rounds: [1, 5, 2, 4, 3],
    });
  });

  it("takes the ratio within each round, so that a slow round slows both sides of it", () => {
    const rounds = [
      round({ nginx: { p50Ms: 1 }, ours: { p50Ms: 2 } }),
      round({ nginx: { p50Ms: 10 }, ours: { p50Ms: 20 } }),
      round({ nginx: { p50Ms: 100 }, ours: { p50Ms: 150 } }),
    ];
    expect(rowOf("ours", rounds)?.cells["p50Ms"]?.ratio).toBe(2);
    expect(rowOf("nginx", rounds)?.cells["p50Ms"]?.ratio).toBe(1);
  });

  it("has no ratio where the metric asks for none, or most rounds have nothing to divide by", () => {
    const rounds = [
      round({ nginx: { p50Ms: -0.1, count: 1 }, ours: { p50Ms: 2, count: 2 } }),
      round({ nginx: { p50Ms: 0, count: 1 }, ours: { p50Ms: 2, count: 2 } }),
      round({ nginx: { p50Ms: 1, count: 1 }, ours: { p50Ms: 2, count: 2 } }),
    ];
    expect(rowOf("ours", rounds)?.cells["p50Ms"]?.ratio).toBeUndefined();
    expect(rowOf("ours", rounds)?.cells["count"]?.ratio).toBeUndefined();
  });

  it("empties the row of a target that failed once, and says why", () => {
    const rounds = [round({ ours: { count: 1 } }), round({}, { ours: "it fell over" })];
    expect(rowOf("ours", rounds)).toEqual({
      target: "ours",
      label: "Ours",
      cells: {},
      failure: "it fell over",
    });
  });

  it("leaves out what no round has", () => {
    expect(rowOf("ours", [round({ ours: { count: 3 } })])?.cells).not.toHaveProperty("p50Ms");
  });
});

describe("addDifferences", () => {
  it("adds what each target has over direct, and nothing to direct", () => {
    const added = addDifferences(round({ direct: { p50Ms: 1 }, ours: { p50Ms: 1.5 } }), ["p50Ms"]);
    expect(added.values.get("ours")).toEqual({ p50Ms: 1.5, addedP50Ms: 0.5 });
    expect(added.values.get("direct")).toEqual({ p50Ms: 1 });
  });

  it("adds nothing when direct itself failed", () => {
    const added = addDifferences(round({ ours: { p50Ms: 1.5 } }), ["p50Ms"]);
    expect(added.values.get("ours")).toEqual({ p50Ms: 1.5 });
  });
});
