import type { Exchange } from "../src/types.ts";
import { compareExchange } from "./metrics.ts";
import type { Metric } from "./metrics.ts";

interface Dot {
  id: string;
  at: number;
  until: number;
  predicted: number;
  actual: number;
}

/** What was predicted and came, of one figure, newest first, and the range that holds both. Figures of 0 have no place on a scale of ratios. */
export function scatterPoints(
  ended: readonly Exchange[],
  metric: Metric,
): { dots: Dot[]; low: number; high: number } {
  const dots = ended.flatMap((exchange): Dot[] => {
    const { predicted, actual } = compareExchange(exchange, metric);
    if (!predicted || !actual || predicted < 0 || actual < 0) return [];
    const { id, startedAt: at, state } = exchange;
    return [{ id, at, until: "endedAt" in state ? state.endedAt : at, predicted, actual }];
  });
  const values = dots.flatMap(({ predicted, actual }) => [predicted, actual]);
  return { dots, low: Math.min(...values), high: Math.max(...values) };
}
