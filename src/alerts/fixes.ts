/** Which fixes an alert shows: the cheapest that would help, worded in predict/remedies. Pure. */
import { createRemedies } from "../predict/remedies.ts";
import { residentBytes } from "../predict/runnerBytes.ts";
import type { LoadedModel, Remedy } from "../types.ts";
import type { Reading } from "./detector.ts";

export interface FixFacts {
  models: readonly LoadedModel[];
  /** Names of models that answer a request now. */
  busy: readonly string[];
  ollamaVersion?: string;
  /** For the load that is announced: the largest context that would fit. */
  largestContextThatFits?: number;
}

const MOST_FIXES = 3;
const MEBIBYTE = 1024 ** 2;
/** Below this a kept prompt is not worth its setting. */
const LEAST_PROMPT_CACHE_BYTES = 256 * MEBIBYTE;

/** At most three, in the order to try them in. */
export function fixesFor(reading: Reading, facts: FixFacts): Remedy[] {
  const remedies = createRemedies({ ollamaVersion: facts.ollamaVersion });
  const { load, turns } = reading;
  const idle = facts.models
    .filter(({ name }) => name !== load?.model && !facts.busy.includes(name))
    .toSorted((a, b) => (heldBytes(b) ?? 0) - (heldBytes(a) ?? 0));
  const prompts = facts.models.reduce((sum, { growth }) => sum + (growth?.promptCacheBytes ?? 0), 0);
  const growsByTurns = turns !== undefined && turns.bytesPerTurn > 0;
  const found: (Remedy | undefined)[] = [
    ...(load !== undefined && facts.largestContextThatFits !== undefined && facts.largestContextThatFits > 0
      ? [remedies.smallerContext({ model: load.model, contextLength: facts.largestContextThatFits })]
      : []),
    ...idle.map((model) => remedies.stopModel({ model: model.name, savesBytes: heldBytes(model) })),
    ...(growsByTurns || prompts > LEAST_PROMPT_CACHE_BYTES
      ? [
          remedies.promptCache({
            limitBytes: Math.max(LEAST_PROMPT_CACHE_BYTES, prompts / 2),
            savesBytes: prompts > LEAST_PROMPT_CACHE_BYTES ? Math.round(prompts / 2) : undefined,
          }),
          remedies.freshChat({ bytesPerTurn: turns?.bytesPerTurn }),
        ]
      : []),
    ...facts.models.flatMap(({ settings, predicted }) => {
      const parallel = settings?.parallel ?? 1;
      const cache = predicted?.kvCacheBytes.hostBytes ?? 0;
      return parallel > 1 && cache > 0
        ? [remedies.singleSlot({ parallel, savesBytes: Math.round(cache - cache / parallel) })]
        : [];
    }),
    remedies.closePrograms(),
  ];
  return found.filter((remedy) => remedy !== undefined).slice(0, MOST_FIXES);
}

/** Absent when it was not measured. */
function heldBytes({ measured }: LoadedModel): number | undefined {
  return measured && residentBytes(measured);
}
