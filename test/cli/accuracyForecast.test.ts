import { expect, it } from "vitest";

import { forecastText } from "../../src/cli/accuracy.ts";

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
