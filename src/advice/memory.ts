/** Memory that could be had back, or is promised twice: types of caches, kept prompts, slots. */
import { bytesText } from "../predict/figureText.ts";
import type { LoadedModel } from "../types.ts";
import { isScarce, weigh, type AdviceFacts, type Weighed } from "./facts.ts";

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** Where there is plenty of memory, only a lot of it is worth a change. */
const WORTH_IT = { scarce: 128 * MEBIBYTE, plenty: GIBIBYTE };
const SMALLEST_PROMPT_CACHE = 512 * MEBIBYTE;

export function memoryAdvice(facts: AdviceFacts, contexts: ReadonlyMap<string, number>): Weighed[] {
  return [...cacheTypeAdvice(facts, contexts), ...slotAdvice(facts), ...promptCacheAdvice(facts)];
}

function worthIt(facts: AdviceFacts): number {
  return isScarce(facts) ? WORTH_IT.scarce : WORTH_IT.plenty;
}

/** With the contexts as advised: what a smaller context frees is not freed twice. */
function cacheTypeAdvice(facts: AdviceFacts, contexts: ReadonlyMap<string, number>): Weighed[] {
  const savesBytes = facts.loaded.reduce((sum, { name }) => {
    const contextLength = contexts.get(facts.canonicalName(name));
    const context = contextLength === undefined ? {} : { contextLength };
    const before = facts.change(name, context);
    const after = facts.change(name, { ...context, kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" });
    return before === undefined || after === undefined || before.now.kvCacheType !== "f16"
      ? sum
      : sum + before.costBytes - after.costBytes;
  }, 0);
  const remedy = facts.remedies.cacheType({ type: "q8_0", savesBytes });
  if (remedy === undefined || savesBytes < worthIt(facts)) {
    return [];
  }
  return [
    weigh({
      id: "cache-type",
      kind: "cache-type",
      text: `The KV caches of what is loaded would take ${bytesText(savesBytes)} less in q8_0, at hardly any loss of quality`,
      savesBytes,
      remedies: [remedy],
    }),
  ];
}

/** Only where memory is scarce: a second slot is there because someone wanted it. */
function slotAdvice(facts: AdviceFacts): Weighed[] {
  const saved = facts.loaded.map(({ name }) => {
    const change = facts.change(name, { parallel: 1 });
    return change === undefined || change.now.parallel < 2
      ? { bytes: 0, parallel: 1 }
      : { bytes: -change.costBytes, parallel: change.now.parallel };
  });
  const savesBytes = saved.reduce((sum, { bytes }) => sum + bytes, 0);
  const parallel = Math.max(1, ...saved.map((entry) => entry.parallel));
  if (!isScarce(facts) || savesBytes < WORTH_IT.scarce) {
    return [];
  }
  return [
    weigh({
      id: "single-slot",
      kind: "single-slot",
      text: `Answering ${parallel} requests at once takes ${bytesText(savesBytes)} of KV cache, and little memory is left`,
      savesBytes,
      remedies: [facts.remedies.singleSlot({ parallel, savesBytes })],
    }),
  ];
}

/** Prompts that runners may keep, against what is left before swap. */
function promptCacheAdvice(facts: AdviceFacts): Weighed[] {
  const { headroomBytes } = facts;
  const limits = facts.loaded.flatMap((model) => limitOf(model));
  const grows = limits.reduce(
    (sum, { limitBytes, usedBytes }) => sum + Math.max(0, limitBytes - usedBytes),
    0,
  );
  if (headroomBytes === undefined || limits.length === 0 || grows <= headroomBytes) {
    return [];
  }
  // Half of what is left for what comes, shared by the runners, on top of what they keep now.
  const share = Math.max(0, headroomBytes) / 2 / limits.length;
  const used = Math.max(...limits.map(({ usedBytes }) => usedBytes));
  const limitBytes = Math.max(SMALLEST_PROMPT_CACHE, floorTo(used + share, SMALLEST_PROMPT_CACHE));
  const savesBytes = limits.reduce((sum, limit) => sum + Math.max(0, limit.limitBytes - limitBytes), 0);
  const remedy = facts.remedies.promptCache({ limitBytes, savesBytes });
  if (remedy === undefined || savesBytes < worthIt(facts)) {
    return [];
  }
  const allowed = bytesText(limits.reduce((sum, limit) => sum + limit.limitBytes, 0));
  return [
    weigh({
      id: "prompt-cache",
      kind: "prompt-cache",
      text: `Runners may keep ${allowed} of earlier prompts, and ${bytesText(Math.max(0, headroomBytes))} are left before swap: LLAMA_ARG_CACHE_RAM=${limitBytes / MEBIBYTE} bounds that`,
      savesBytes,
      remedies: [remedy],
    }),
  ];
}

function limitOf({ predicted, growth }: LoadedModel): { limitBytes: number; usedBytes: number }[] {
  const limitBytes = growth?.promptCacheLimitBytes ?? predicted?.promptCacheLimitBytes ?? 0;
  return limitBytes > 0 ? [{ limitBytes, usedBytes: growth?.promptCacheBytes ?? 0 }] : [];
}

function floorTo(bytes: number, step: number): number {
  return Math.floor(bytes / step) * step;
}
