/** How one model was used lately, by whatever name and whichever client. */
import type { ModelHabit } from "../types.ts";
import type { AdviceFacts } from "./facts.ts";

export interface ModelUse {
  model: string;
  habits: ModelHabit[];
  /** Requests whose tokens are known. */
  counted: number;
  cutCount: number;
  /** 99 of 100 took at most so many, prompt and answer together. */
  p99Tokens?: number;
  longestTokens?: number;
  /** The largest that a cut request would have needed, where that is known. */
  neededContextLength?: number;
  contextLength?: number;
}

export function modelUses({ habits, loaded, canonicalName }: AdviceFacts): ModelUse[] {
  const groups = new Map<string, ModelHabit[]>();
  for (const habit of habits.models) {
    const model = canonicalName(habit.model);
    groups.set(model, [...(groups.get(model) ?? []), habit]);
  }
  return [...groups]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([model, own]) => {
      const counts = [...countsOf(own)].toSorted(([left], [right]) => left - right);
      const counted = counts.reduce((sum, [, count]) => sum + count, 0);
      const running = loaded.find(({ name }) => canonicalName(name) === model)?.contextLength;
      return {
        model,
        habits: own,
        counted,
        cutCount: own.reduce((sum, { cutCount }) => sum + cutCount, 0),
        p99Tokens: percentile(counts, counted, 0.99),
        longestTokens: largest(own.map(({ longestTokens }) => longestTokens)),
        neededContextLength: largest(own.map(({ neededContextLength }) => neededContextLength)),
        contextLength: running ?? largest(own.map(({ contextLength }) => contextLength)),
      };
    });
}

function countsOf(habits: readonly ModelHabit[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [tokens, count] of habits.flatMap((habit) => Object.entries(habit.tokens))) {
    counts.set(Number(tokens), (counts.get(Number(tokens)) ?? 0) + count);
  }
  return counts;
}

function percentile(counts: readonly [number, number][], total: number, share: number): number | undefined {
  let seen = 0;
  for (const [tokens, count] of counts) {
    seen += count;
    if (seen >= total * share) {
      return tokens;
    }
  }
  return undefined;
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

/** The usual sizes of a context, and room for turns that are a little longer than those seen. */
export function contextFor(tokens: number, margin = 1.2): number {
  return Math.max(2048, 2 ** Math.ceil(Math.log2(tokens * margin)));
}

/** Whether this context would have held everything, with room. */
export function fitsInto(use: ModelUse | undefined, contextLength: number): boolean {
  return (
    use?.p99Tokens !== undefined &&
    use.longestTokens !== undefined &&
    use.cutCount === 0 &&
    use.counted >= MEANINGFUL_REQUESTS &&
    use.p99Tokens * 1.2 <= contextLength &&
    use.longestTokens < contextLength
  );
}

/** Fewer say little about the next one. */
const MEANINGFUL_REQUESTS = 20;
