/** Contexts that are too small or too large for what is asked of them. */
import { bytesText, nameText } from "../predict/figureText.ts";
import type { Remedy } from "../types.ts";
import { figuresOf, weigh, type AdviceFacts, type Change, type Weighed } from "./facts.ts";
import { contextFor, fitsInto, type ModelUse } from "./modelUse.ts";

/** Less is not worth a change of settings. */
const NOTEWORTHY_BYTES = 128 * 2 ** 20;
/** What one answer to half a question is worth: as much as this much waiting. */
const SECONDS_PER_CUT = 30;

/** The context that a model should have: what is advised for it, or what it has. */
export interface Planned {
  weighed: Weighed[];
  /** By model; absent where nothing is changed. */
  contexts: Map<string, number>;
}

export function contextAdvice(
  facts: AdviceFacts,
  uses: readonly ModelUse[],
  fought: ReadonlySet<string>,
): Planned {
  const contexts = new Map<string, number>();
  const weighed = uses.flatMap((use) => {
    if (fought.has(use.model)) {
      // Whoever settles the fight settles this too.
      return [];
    }
    if (holdsWhatWasCut(use)) {
      return [];
    }
    const found = use.cutCount > 0 ? larger(facts, use) : smaller(facts, use);
    if (found === undefined) {
      return [];
    }
    contexts.set(use.model, found.contextLength);
    return [found.weighed];
  });
  return { weighed, contexts };
}

/** Someone has given it a larger context since. */
function holdsWhatWasCut({ cutCount, neededContextLength, contextLength }: ModelUse): boolean {
  return (
    cutCount > 0 &&
    neededContextLength !== undefined &&
    contextLength !== undefined &&
    contextLength >= neededContextLength
  );
}

interface Found {
  contextLength: number;
  weighed: Weighed;
}

function larger(facts: AdviceFacts, use: ModelUse): Found | undefined {
  const { model, contextLength: current } = use;
  if (current === undefined) {
    return undefined;
  }
  const wanted = Math.max(2 * current, contextFor(use.neededContextLength ?? 0, 1));
  const change = facts.change(model, { contextLength: wanted });
  if (change === undefined || change.contextLength <= current) {
    return undefined;
  }
  const contextLength = change.contextLength;
  const cut = use.habits.filter(({ cutCount }) => cutCount > 0);
  const requests = use.habits.reduce((sum, { requestCount }) => sum + requestCount, 0);
  const remedies = largerRemedies(facts, use, { contextLength, change });
  const text = `${use.cutCount} of ${requests} requests to ${nameText(model)} did not fit its context of ${current}. ${remedies[0]?.text ?? ""}`;
  return {
    contextLength,
    weighed: weigh(
      {
        id: `larger-context:${model}`,
        kind: "larger-context",
        text,
        model,
        clients: clientsOf(cut),
        remedies,
      },
      use.cutCount * SECONDS_PER_CUT,
    ),
  };
}

/** For those who say which context they want where they say it; for the others where the server or the model says it. */
function largerRemedies(
  { remedies, change }: AdviceFacts,
  { model, habits }: ModelUse,
  to: { contextLength: number; change: Change },
): Remedy[] {
  const { contextLength } = to;
  const cut = habits.filter(({ cutCount }) => cutCount > 0);
  const overV1 = cut.some(({ dialect }) => dialect !== "ollama" && dialect !== "none");
  const native = cut.some(({ dialect }) => dialect === "ollama" || dialect === "none");
  const asksNone = cut.some(({ asksContext }) => !asksContext);
  const figures = figuresOf(to.change);
  const quantized =
    figures.verdict === "overflows" && to.change.now.kvCacheType === "f16"
      ? change(model, { contextLength, kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" })
      : undefined;
  return [
    native ? remedies.largerContext({ model, contextLength, dialect: "ollama", ...figures }) : undefined,
    overV1 ? remedies.modelWithContext({ model, contextLength, ...figures }) : undefined,
    asksNone ? remedies.serverContext({ contextLength }) : undefined,
    quantized !== undefined && quantized.verdict !== "overflows"
      ? remedies.cacheType({ type: "q8_0", savesBytes: to.change.costBytes - quantized.costBytes })
      : undefined,
    figures.verdict === "overflows" ? remedies.freshChat() : undefined,
  ].filter((remedy) => remedy !== undefined);
}

function smaller(facts: AdviceFacts, use: ModelUse): Found | undefined {
  const { model, contextLength: current, p99Tokens, longestTokens } = use;
  if (current === undefined || p99Tokens === undefined || longestTokens === undefined) {
    return undefined;
  }
  const contextLength = contextFor(Math.max(p99Tokens, (longestTokens + 1) / 1.2));
  if (contextLength >= current || !fitsInto(use, contextLength)) {
    return undefined;
  }
  const change = facts.change(model, { contextLength });
  const savesBytes = change === undefined ? 0 : -change.costBytes;
  if (savesBytes < Math.max(NOTEWORTHY_BYTES, (facts.totalBytes ?? 0) * 0.01)) {
    return undefined;
  }
  const asks = use.habits.some(({ asksContext }) => asksContext);
  const asksNone = use.habits.some(({ asksContext }) => !asksContext);
  const remedies = [
    asks ? facts.remedies.smallerContext({ model, contextLength, savesBytes, dialect: "ollama" }) : undefined,
    asksNone ? facts.remedies.serverContext({ contextLength, savesBytes }) : undefined,
    asksNone && !asks
      ? facts.remedies.smallerContext({ model, contextLength, savesBytes, dialect: "openai" })
      : undefined,
  ].filter((remedy) => remedy !== undefined);
  return {
    contextLength,
    weighed: weigh({
      id: `smaller-context:${model}`,
      kind: "smaller-context",
      text: `Your p99 prompt to ${nameText(model)}, with its answer, is ${tokensText(p99Tokens)} of ${tokensText(current)} tokens, the longest ${tokensText(longestTokens)}: num_ctx ${contextLength} frees ${bytesText(savesBytes)}`,
      model,
      clients: clientsOf(use.habits),
      savesBytes,
      remedies,
    }),
  };
}

export function clientsOf(habits: readonly { client?: string }[]): string[] {
  return [...new Set(habits.flatMap(({ client }) => (client === undefined ? [] : [client])))].toSorted();
}

/** `6.1k`, `32k`, `900`. */
function tokensText(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${Number((tokens / 1024).toFixed(1))}k`;
}
