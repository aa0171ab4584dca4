import { estimateMemory } from "./estimate.ts";
import { fitEstimate, type FitMachine } from "./fit.ts";
import { withLayersThatFit } from "./layersThatFit.ts";
import { resolveSettings } from "./resolveSettings.ts";
import type { SettingsInput } from "./settingsSource.ts";

/** The step of the caches themselves, see `cells.ts`. */
const STEP = 256;
/** No model is trained for more than this, and none says that it is. */
const LONGEST = 16_777_216;

/**
 * The longest context of one slot that does not overflow, by bisection in steps of 256; 0 when even the shortest does.
 * Everything else stays as in `input`; what follows from the context (the automatic batch) follows.
 * Undefined when it cannot be told.
 */
export function largestContextThatFits(input: SettingsInput, machine: FitMachine): number | undefined {
  const longest = input.shape.trainedContextLength ?? LONGEST;
  const verdictAt = (contextLength: number) => {
    const query = { ...input.query, contextLength, totalContextLength: undefined };
    const settings = resolveSettings(withLayersThatFit({ ...input, query }));
    return fitEstimate(estimateMemory(input.shape, settings), machine).verdict;
  };
  const first = verdictAt(Math.min(STEP, longest));
  if (first === "unknown") return undefined;
  if (first === "overflows") return 0;
  if (verdictAt(longest) !== "overflows") return longest;
  let [fits, overflows] = [1, Math.ceil(longest / STEP)];
  while (overflows - fits > 1) {
    const middle = Math.floor((fits + overflows) / 2);
    if (verdictAt(middle * STEP) === "overflows") overflows = middle;
    else fits = middle;
  }
  return fits * STEP;
}
