/** What is learned of one model while its chats are followed: shared by all of them, forgotten with the program. */
import { createPrefillModel, type PrefillModel } from "../predict/prefillModel.ts";
import { createRecent, type Recent } from "../predict/guessRecent.ts";
import { createRunnerGrowth, type RunnerGrowth } from "../predict/growth.ts";
import { stateCostOf, type StateCost } from "../predict/promptCache.ts";
import type { ChatModel } from "../types.ts";
import { remember } from "./bounded.ts";
import { createPromptSizes, type PromptSizes } from "./promptSizes.ts";
import { createTokenRatio, type TokenRatio } from "./sentTokens.ts";

export interface LearnedFigures {
  ratio: TokenRatio;
  sizes: PromptSizes;
  prefill: PrefillModel;
  /** Time in no duration of Ollama's, and the hand-over of a warm runner, when nobody else is in the way. */
  restMs: Recent;
  warmLoadMs: Recent;
  outputTokens: Recent;
  /** Time per token of answers: a machine that is busy with other things shows in it. */
  tokenMs: Recent;
  /** Of the load that runs. */
  growth?: RunnerGrowth & { loadId: string };
  /** The conversation whose prompt was last. */
  latestConversation?: string;
  lastEndedAt?: number;
}

export interface LearnedByModel {
  /** Begun now if it was not. The model unused longest gives way. */
  of(key: string): LearnedFigures;
  forgetAll(): void;
}

const MOST_MODELS = 32;

export function createLearnedByModel(): LearnedByModel {
  const models = new Map<string, LearnedFigures>();
  return {
    of(key) {
      const learned = models.get(key) ?? {
        ratio: createTokenRatio(),
        sizes: createPromptSizes(),
        prefill: createPrefillModel(),
        restMs: createRecent(),
        warmLoadMs: createRecent(),
        outputTokens: createRecent(),
        tokenMs: createRecent(),
      };
      remember(models, key, learned, MOST_MODELS);
      return learned;
    },
    forgetAll: () => models.clear(),
  };
}

/** Undefined while the model's shape is not known. */
export function costOf(model: ChatModel): StateCost | undefined {
  const { estimate, slots, windowTokens } = model;
  return estimate === undefined
    ? undefined
    : stateCostOf(estimate, {
        ...(slots !== undefined && { slots }),
        ...(windowTokens !== undefined && { windowTokens }),
      });
}

/** A load's growth begins with its own memory: what it held right after its start. */
export function growthOf(
  learned: LearnedFigures,
  model: ChatModel,
  atLoadBytes: number | undefined,
): RunnerGrowth | undefined {
  const { loadId, estimate } = model;
  if (loadId !== undefined && learned.growth?.loadId === loadId) {
    return learned.growth;
  }
  const cost = costOf(model);
  if (loadId === undefined || estimate === undefined || cost === undefined || atLoadBytes === undefined) {
    return undefined;
  }
  learned.growth = {
    loadId,
    ...createRunnerGrowth({
      loadId,
      cost,
      slots: model.slots ?? 1,
      promptCacheLimitBytes: estimate.promptCacheLimitBytes ?? 0,
      computeBytes: estimate.computeBytes.hostBytes,
      atLoadBytes,
    }),
  };
  return learned.growth;
}
