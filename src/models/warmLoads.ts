/**
 * `load_duration` is never 0: with the model in memory it is 1 to 10 ms on v0.33, and 80 to 190 ms on v0.24, which reads
 * the vocabulary again for each request. So what is a load is told by the model's own usual figure.
 */
import { canonicalName } from "./names.ts";

export interface WarmLoads {
  /** A request that found its model in memory. */
  learn(model: string, loadMs: number): void;
  /** The usual figure of this model; undefined before any was seen. */
  medianMs(model: string): number | undefined;
  /** Whether this is so much longer than usual that a load is likely. Waiting for another model's load looks alike. */
  isLong(model: string, loadMs: number): boolean;
}

const KEPT = 21;
const MOST_MODELS = 200;
const SHORTEST_LOAD_MS = 250;
const TIMES_USUAL = 3;
/** Before a figure is known: above what v0.24 was seen to take, below its shortest reload. */
const UNKNOWN_LOAD_MS = 450;

export function createWarmLoads(): WarmLoads {
  const seen = new Map<string, number[]>();
  const medianMs = (model: string): number | undefined => {
    const sorted = (seen.get(canonicalName(model)) ?? []).toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length / 2)];
  };
  return {
    learn(model, loadMs) {
      const key = canonicalName(model);
      const kept = [...(seen.get(key) ?? []), loadMs].slice(-KEPT);
      seen.delete(key);
      seen.set(key, kept);
      if (seen.size > MOST_MODELS) {
        seen.delete(seen.keys().next().value ?? "");
      }
    },
    medianMs,
    isLong(model, loadMs) {
      const usual = medianMs(model);
      return (
        loadMs > (usual === undefined ? UNKNOWN_LOAD_MS : Math.max(SHORTEST_LOAD_MS, usual * TIMES_USUAL))
      );
    },
  };
}
