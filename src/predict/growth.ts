/**
 * What a runner's memory has become since its load, and what the next turn will add: the cache of the context is there
 * from the load on; what grows is the copies of earlier prompts, checkpoints, and compute buffers that the first large
 * prompt touches. Fitted to what is measured: copies that do not show in the runner's memory are not kept by it.
 */
import { median } from "./quantile.ts";
import { bytesText } from "./figureText.ts";
import { createPromptCache, type CachedPrompt, type StateCost } from "./promptCache.ts";
import type { Growth, Predicted } from "../types.ts";

export interface RunnerGrowth {
  /** What this prompt would add. */
  expectedBytes(prompt: CachedPrompt): number;
  /** A prompt has been answered; `predicted`: what was said beforehand that it would add. */
  ran(prompt: CachedPrompt, outputTokens: number, predicted?: number): void;
  /** Anonymous bytes, while nothing is being computed. Answers with what each prompt since the last time added on average, and what was said. */
  measured(bytes: number): Predicted | undefined;
  /** `next`: what the next prompt will probably be. */
  now(next?: CachedPrompt): Growth;
  /** False once the copies that were expected have not shown in the runner's memory. */
  keepsPrompts(): boolean;
  /** What may still be added before the oldest copies make room. */
  promptCacheLeftBytes(): number;
  /** What a turn adds that leaves no copy. */
  quietBytes(): number;
}

export interface RunnerGrowthParts {
  loadId?: string;
  cost: StateCost;
  slots: number;
  promptCacheLimitBytes: number;
  /** Allocated for computing, of which a load touches nothing. */
  computeBytes: number;
  /** Resident right after the load. */
  atLoadBytes: number;
}

const REMEMBERED = 9;
/** The first prompts touch buffers for the first time, by amounts that nothing tells beforehand. */
const WARM_UP_TURNS = 2;
/** Less of the expected copies than this: `LLAMA_ARG_CACHE_RAM=0`, or another program than llama-server. */
const NOT_KEPT = 0.5;
/** The first copies come with buffers that a whole window touches for the first time. */
const FEW = 3;
const MEBIBYTE = 1024 ** 2;
/** Less than this is not told from the noise of an allocator. */
const NOTABLE_BYTES = 4 * MEBIBYTE;

/**
 * For one load: what was learned of a runner says nothing of the next one. Bytes are anonymous ones of the runner's
 * process, those in swap included.
 */
export function createRunnerGrowth(parts: RunnerGrowthParts): RunnerGrowth {
  const cache = createPromptCache({
    cost: parts.cost,
    slots: parts.slots,
    limitBytes: parts.promptCacheLimitBytes,
  });
  /** Measured growth for each byte of a copy that was expected. */
  let copyRatios: number[] = [];
  /** Of turns that left no copy. */
  let quietSteps: number[] = [];
  let nowBytes = parts.atLoadBytes;
  let settledBytes = parts.atLoadBytes;
  let unsettled: { copyBytes: number; predicted?: number }[] = [];
  let turns = 0;

  /** The copies are known to the byte; what is learned is whether they are kept, and how an allocator rounds. */
  const copyRatio = (): number => {
    const ratio = median(copyRatios) ?? 1;
    if (ratio < NOT_KEPT) {
      return 0;
    }
    return copyRatios.length < FEW ? 1 : Math.min(1.2, Math.max(0.8, ratio));
  };
  /** Buffers are touched once: the next turn adds what the last ones did, or less. */
  const quietBytes = (): number => Math.max(0, Math.min(median(quietSteps) ?? 0, quietSteps.at(-1) ?? 0));
  const expectedBytes = (prompt: CachedPrompt): number => {
    const copy = cache.wouldTake(prompt);
    return Math.round(copy > 0 ? copy * copyRatio() : quietBytes());
  };

  return {
    expectedBytes,
    quietBytes,
    ran(prompt, outputTokens, predicted) {
      const copyBytes = cache.take(prompt);
      cache.answered(prompt.conversation, Math.max(0, outputTokens - 1));
      unsettled.push({ copyBytes, ...(predicted !== undefined && { predicted }) });
      turns += 1;
    },
    measured(bytes) {
      const count = unsettled.length;
      const grown = bytes - settledBytes;
      const isFirst = turns - count < WARM_UP_TURNS;
      const copyBytes = unsettled.reduce((sum, turn) => sum + turn.copyBytes, 0);
      const said = unsettled.map(({ predicted }) => predicted);
      nowBytes = bytes;
      settledBytes = bytes;
      unsettled = [];
      if (count === 0 || isFirst) {
        return undefined;
      }
      if (Math.abs(copyBytes) >= NOTABLE_BYTES) {
        copyRatios = [...copyRatios, grown / copyBytes].slice(-REMEMBERED);
      } else {
        quietSteps = [...quietSteps, grown / count].slice(-REMEMBERED);
      }
      if (!said.every((predicted) => predicted !== undefined)) {
        return undefined;
      }
      const predicted = Math.round(said.reduce((sum, one) => sum + one, 0) / count);
      const actual = Math.round(grown / count);
      // Against next to nothing every error is endless.
      return actual >= NOTABLE_BYTES
        ? { predicted, actual, errorRatio: (predicted - actual) / actual }
        : { predicted, actual };
    },
    now(next) {
      const sinceLoadBytes = nowBytes - parts.atLoadBytes;
      let rest = Math.max(0, sinceLoadBytes);
      const take = (bytes: number): number => {
        const taken = Math.max(0, Math.min(rest, Math.round(bytes)));
        rest -= taken;
        return taken;
      };
      const keeps = copyRatio() > 0 && parts.promptCacheLimitBytes > 0;
      const promptCacheBytes = take(keeps ? cache.bytes() : 0);
      const all: Growth["parts"] = [
        { name: "prompt cache", bytes: promptCacheBytes, provenance: "derived" },
        { name: "checkpoints", bytes: take(keeps ? cache.checkpointBytes() : 0), provenance: "derived" },
        { name: "compute", bytes: take(turns === 0 ? 0 : parts.computeBytes), provenance: "derived" },
        { name: "unexplained", bytes: rest, provenance: "measured" },
      ];
      const kept = all.filter(({ bytes }) => bytes > 0).toSorted((left, right) => right.bytes - left.bytes);
      return {
        ...(parts.loadId !== undefined && { loadId: parts.loadId }),
        sinceLoadBytes,
        parts: kept,
        promptCacheBytes,
        ...(keeps && { promptCacheLimitBytes: parts.promptCacheLimitBytes }),
        ...(next !== undefined && { nextTurnBytes: { predicted: expectedBytes(next) } }),
        text: sentence(sinceLoadBytes, kept, parts.promptCacheLimitBytes),
      };
    },
    keepsPrompts: () => parts.promptCacheLimitBytes > 0 && copyRatio() > 0,
    promptCacheLeftBytes: () => Math.max(0, parts.promptCacheLimitBytes - cache.bytes()),
  };
}

const IN_WORDS: Record<string, string> = {
  "prompt cache": "copies of earlier prompts",
  checkpoints: "checkpoints",
  compute: "compute buffers",
  unexplained: "unexplained",
};

function sentence(sinceLoadBytes: number, parts: Growth["parts"], limitBytes: number): string {
  if (sinceLoadBytes < MEBIBYTE) {
    return "It has not grown since its load.";
  }
  const named = parts
    .filter(({ bytes }) => bytes >= MEBIBYTE)
    .map(({ name, bytes }) => {
      const limit = name === "prompt cache" ? ` (of at most ${bytesText(limitBytes)})` : "";
      return `${bytesText(bytes)} ${IN_WORDS[name] ?? name}${limit}`;
    });
  return `${bytesText(sinceLoadBytes)} more since its load${named.length === 0 ? "" : `: ${named.join(", ")}`}.`;
}
