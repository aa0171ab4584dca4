/** Small weighted least squares with expectations (ridge) and parts that cannot be negative. */

/** What is expected of a part before any measurement, and by how much it may differ. */
export interface Expectation {
  value: number;
  deviation: number;
}

/** The sums that a fit needs, whatever the number of rows. */
export interface NormalEquations {
  matrix: number[][];
  right: number[];
}

/** The equations of the expectations alone. */
export function expecting(expectations: readonly Expectation[]): NormalEquations {
  return {
    matrix: expectations.map(({ deviation }, row) =>
      expectations.map((_, column) => (row === column ? deviation ** -2 : 0)),
    ),
    right: expectations.map(({ value, deviation }) => value / deviation ** 2),
  };
}

/** Adds one measurement: Σ features · parts = value, with a weight of one over its variance. */
export function addMeasurement(
  equations: NormalEquations,
  { features, value, weight }: { features: readonly number[]; value: number; weight: number },
): void {
  features.forEach((feature, row) => {
    equations.right[row] = (equations.right[row] ?? 0) + weight * value * feature;
    const line = equations.matrix[row] ?? [];
    features.forEach((other, column) => {
      line[column] = (line[column] ?? 0) + weight * feature * other;
    });
  });
}

/**
 * The parts that fit best. One that would come out negative is held at 0 and the others are fitted again. Equations
 * with figures that are not finite give parts that are not finite.
 */
export function solveNonNegative(equations: NormalEquations): number[] {
  const size = equations.right.length;
  let kept = Array.from({ length: size }, (_, index) => index);
  for (;;) {
    const parts = solve(equations, kept);
    const lowest = Math.min(...parts);
    if (!(lowest < 0)) {
      const all = Array.from({ length: size }, () => 0);
      kept.forEach((index, place) => (all[index] = parts[place] ?? 0));
      return all;
    }
    kept = kept.filter((_, place) => parts[place] !== lowest);
  }
}

/** Gauss-Jordan on the kept parts, scaled so that milliseconds and nanoseconds do not share a pivot. */
function solve({ matrix, right }: NormalEquations, kept: readonly number[]): number[] {
  const at = (row: number, column: number): number => matrix[row]?.[column] ?? 0;
  const scale = kept.map((index) => 1 / Math.sqrt(Math.max(at(index, index), Number.MIN_VALUE)));
  const rows = kept.map((row, place) => [
    ...kept.map((column, other) => at(row, column) * (scale[place] ?? 0) * (scale[other] ?? 0)),
    (right[row] ?? 0) * (scale[place] ?? 0),
  ]);
  for (const [place, pivotRow] of rows.entries()) {
    // Expectations keep the matrix positive definite; rounding alone can bring a pivot near 0.
    const pivot = Math.max(pivotRow[place] ?? 0, 1e-12);
    for (const [other, row] of rows.entries()) {
      const factor = other === place ? 0 : (row[place] ?? 0) / pivot;
      if (factor !== 0) {
        pivotRow.forEach((value, column) => (row[column] = (row[column] ?? 0) - factor * value));
      }
    }
  }
  return rows.map(
    (row, place) => ((row.at(-1) ?? 0) / Math.max(row[place] ?? 0, 1e-12)) * (scale[place] ?? 0),
  );
}
