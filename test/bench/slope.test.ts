import { expect, it } from "vitest";
import { slopeOf } from "../../bench/soak/slope.ts";

it("is the growth in one step of x, exact on a line and near it through noise", () => {
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toBeCloseTo(2);
  expect(
    slopeOf([
      [0, 10],
      [1, 10.2],
      [2, 9.9],
      [3, 10.1],
    ]),
  ).toBeCloseTo(0, 1);
  expect(slopeOf([[1, 1]])).toBeUndefined();
  expect(slopeOf([])).toBeUndefined();
});
