/** Rounds become rows: one a target, one cell a metric. */
import { median, spread, type Spread } from "./stats.ts";

export interface Metric {
  id: string;
  /** Column heading, with the unit. */
  label: string;
  decimals: number;
  /** Compare with nginx in a column of its own. */
  ratio?: boolean;
}

/** What one round of a case found out, by target name. A target that failed has a message instead of figures. */
export interface Round {
  values: Map<string, Record<string, number>>;
  failures: Map<string, string>;
}

export interface Cell extends Spread {
  /** Median over the rounds of this target's figure divided by the reference's figure of the same round. */
  ratio?: number;
  /** The figures behind it, in the order of the rounds. */
  rounds: number[];
}

export interface Row {
  target: string;
  label: string;
  cells: Record<string, Cell>;
  failure?: string;
}

export interface SummaryParts {
  metrics: readonly Metric[];
  targets: readonly { name: string; label: string }[];
  rounds: readonly Round[];
  /** Name of the target that ratios are taken against. */
  reference: string;
}

/** A failure in any round empties the row: half a series beside a full one would not be a comparison. */
export function summarise({ metrics, targets, rounds, reference }: SummaryParts): Row[] {
  return targets.map(({ name, label }) => {
    const failure = rounds.map((round) => round.failures.get(name)).find((message) => message !== undefined);
    const cells: Record<string, Cell> = {};
    for (const metric of failure === undefined ? metrics : []) {
      const figures = rounds.flatMap((round) => round.values.get(name)?.[metric.id] ?? []);
      const middle = spread(figures);
      if (middle !== undefined) {
        const ratio =
          metric.ratio === true ? ratioTo(reference, { rounds, name, metric: metric.id }) : undefined;
        cells[metric.id] = { ...middle, ratio, rounds: figures };
      }
    }
    return { target: name, label, cells, failure };
  });
}

/** Absent when fewer than half of the rounds can be compared: dividing by noise around zero says nothing. */
function ratioTo(
  reference: string,
  { rounds, name, metric }: { rounds: readonly Round[]; name: string; metric: string },
): number | undefined {
  const ratios = rounds.flatMap((round) => {
    const own = round.values.get(name)?.[metric];
    const other = round.values.get(reference)?.[metric];
    return own !== undefined && other !== undefined && other > 0 ? [own / other] : [];
  });
  return ratios.length * 2 >= rounds.length ? median(ratios) : undefined;
}
