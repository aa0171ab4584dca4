/** What is learned of one model while its chats are followed: shared by all of them, forgotten with the program. */
import { createPrefillModel, type PrefillModel } from "../predict/prefillModel.ts";
import { createRecent, type Recent } from "../predict/guessRecent.ts";
import { createRunnerGrowth, type RunnerGrowth } from "../predict/growth.ts";
import { stateCostOf, type StateCost } from "../predict/promptCache.ts";
import type { ChatModel } from "../types.ts";
import { remember } from "./bounded.ts";
import { createPromptSizes, type PromptSizes } from "./promptSizes.ts";
import { createTokenRatio, type TokenRatio } from "./sentTokens.ts";

export interface ModelMemory {
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

export interface ModelMemories {
  of(key: string): ModelMemory;
  forgetAll(): void;
}

const MOST_MODELS = 32;

export function createModelMemories(): ModelMemories {
  const models = new Map<string, ModelMemory>();
  return {
    of(key) {
      const memory = models.get(key) ?? {
        ratio: createTokenRatio(),
        sizes: createPromptSizes(),
        prefill: createPrefillModel(),
        restMs: createRecent(),
        warmLoadMs: createRecent(),
        outputTokens: createRecent(),
        tokenMs: createRecent(),
      };
      remember(models, key, memory, MOST_MODELS);
      return memory;
    },
    forgetAll: () => models.clear(),
  };
}

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
  memory: ModelMemory,
  model: ChatModel,
  atLoadBytes: number | undefined,
): RunnerGrowth | undefined {
  const { loadId, estimate } = model;
  if (loadId !== undefined && memory.growth?.loadId === loadId) {
    return memory.growth;
  }
  const cost = costOf(model);
  if (loadId === undefined || estimate === undefined || cost === undefined || atLoadBytes === undefined) {
    return undefined;
  }
  memory.growth = {
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
  return memory.growth;
}
