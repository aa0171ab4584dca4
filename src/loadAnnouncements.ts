/** Loads that a request is about to cause, announced before they take anything, with what they need once that is known. */
import type { Warner } from "./alerts/warner.ts";
import { canonicalName } from "./models/names.ts";
import { needBytes } from "./predict/fit.ts";
import { freedBytes } from "./predict/runnerBytes.ts";
import type { Ask } from "./predictions/ask.ts";
import type { Exchange, LoadedModel } from "./types.ts";

export interface LoadAnnouncements {
  /** Once for each model: who comes while it loads waits for the same load. */
  announce(exchange: Exchange, model: string, contextLength: number | undefined): void;
  has(exchangeId: string): boolean;
  /** The load is there or given up. False when this exchange has announced none. */
  withdraw(exchangeId: string): boolean;
}

const ASK_AGAIN_MS = 5000;
const MOST_ASKED = 200;

export function createLoadAnnouncements(parts: {
  ask: Pick<Ask, "predict" | "known">;
  models: () => readonly LoadedModel[];
  unifiedMemory: () => boolean;
  monotonic: () => number;
  announceLoad: Warner["announceLoad"];
  /** For what is called from a promise: nobody is there to catch it. */
  guarded: (what: () => void) => void;
}): LoadAnnouncements {
  const { ask, monotonic, announceLoad } = parts;
  const announced = new Map<string, string>();
  const askedAt = new Map<string, number>();

  /** A model that Ollama does not describe is asked about now and then, not with each request. */
  const mayAsk = (key: string): boolean => {
    if (monotonic() - (askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return false;
    if (askedAt.size >= MOST_ASKED) askedAt.clear();
    askedAt.set(key, monotonic());
    return true;
  };

  return {
    announce({ id }, model, contextLength) {
      const key = canonicalName(model);
      if ([...announced.values()].includes(key)) return;
      announced.set(id, key);
      const { measured } = parts.models().find((entry) => canonicalName(entry.name) === key) ?? {};
      const load = { id, model, freedBytes: measured && freedBytes(measured) };
      announceLoad({ ...load, pending: true });
      const known = ask.known(model);
      if (known === undefined && !mayAsk(key)) return;
      ask
        .predict({ model, contextLength }, known)
        .catch(() => undefined)
        .then((estimate) => {
          // It may have ended while its need was being found out.
          if (!announced.has(id)) return;
          const need =
            estimate?.weightsBytes === undefined
              ? undefined
              : needBytes(estimate, { unifiedMemory: parts.unifiedMemory() }).host;
          // For a load that fits, the largest context that does is more than it asks for: no fix.
          const fits =
            estimate?.fit.verdict === "overflows" ? estimate.fit.largestContextThatFits : undefined;
          parts.guarded(() => announceLoad({ ...load, needBytes: need, largestContextThatFits: fits }));
        })
        .catch(() => {});
    },
    has: (exchangeId) => announced.has(exchangeId),
    withdraw: (exchangeId) => announced.delete(exchangeId),
  };
}
