import { expect, it } from "vitest";
import { accuracyText, forecastText } from "../../src/cli/accuracy.ts";
import { kindWords } from "../../web/metrics.ts";

const MIB = 2 ** 20;

it("puts forecasts of headroom beside no forecast", () => {
  const score = {
    atSeconds: 30,
    n: 200,
    meanErrorBytes: 34 * MIB,
    unchangedErrorBytes: 137 * MIB,
    withinBandRatio: 0.8,
  };
  expect(forecastText([score])).toBe(
    "headroom 30 s ahead: 200 forecasts, off by 34 MiB on average; taking it to stay as it was: 137 MiB\n",
  );
  expect(forecastText([])).toBe("");
});

it("signs the bias as the page does", () => {
  const score = { n: 1, medianErrorRatio: 0, p90ErrorRatio: 0 };
  const overall = Object.fromEntries(
    [0.061, -0.061, 0.0001, -0.0001].map((biasRatio, index) => [`${index}`, { ...score, biasRatio }]),
  );
  const rows = accuracyText({ from: 0, to: 1, overall, models: [] }).trimEnd().split("\n").slice(2);
  expect(rows.map((row) => row.slice(-10).trim())).toEqual(["+6.1 %", "−6.1 %", "0.0 %", "0.0 %"]);
});

// The page imports no code of the server's, so the words stand in both; this holds them together.
it("calls each figure what the page calls it", () => {
  const score = { n: 1, medianErrorRatio: 0, p90ErrorRatio: 0, biasRatio: 0 };
  const overall = Object.fromEntries(Object.keys(kindWords).map((kind) => [kind, score]));
  const rows = accuracyText({ from: 0, to: 1, overall, models: [] }).trimEnd().split("\n").slice(2);
  expect(rows.map((row) => row.slice(0, 36).trim())).toEqual(Object.values(kindWords));
});
