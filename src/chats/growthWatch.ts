/** What the memory of each model's runner grows by, as its prompts come and its samples are read. */
import type { CachedPrompt } from "../predict/promptCache.ts";
import type { ChatModel, Growth, LoadedModel, Predicted } from "../types.ts";
import { remember } from "./bounded.ts";
import { growthOf, type LearnedByModel, type LearnedFigures } from "./learnedByModel.ts";

export interface GrowthWatch<Ran> {
  /** What a prompt would add; undefined while the load is not known. */
  expectedBytes(model: ChatModel, prompt: CachedPrompt): number | undefined;
  ran(
    model: ChatModel,
    prompt: CachedPrompt,
    facts: { outputTokens: number; predicted?: number; endedAt?: number; whose: Ran },
  ): void;
  /** Memory was read, and which models are computing. */
  sampled(models: readonly LoadedModel[], isBusy: (model: string) => boolean, at: number): void;
  growth(model: LoadedModel, next: (learned: LearnedFigures) => CachedPrompt | undefined): Growth | undefined;
}

/** Memory is read so long after an exchange's end at the earliest. */
const SETTLE_MS = 300;
const MOST_LOADS = 64;
const MOST_UNMEASURED = 64;

/** `grew`: what each of these added on average has been measured, and was said beforehand. */
export function createGrowthWatch<Ran>(parts: {
  models: LearnedByModel;
  model(name: string): ChatModel;
  grew(whose: readonly Ran[], growth: Predicted): void;
}): GrowthWatch<Ran> {
  const { models } = parts;
  /** Resident right after each load, or as soon as it was seen. */
  const atLoad = new Map<string, number>();
  /** Whose growth is measured next, by model, in their order. */
  const measuring = new Map<string, Ran[]>();

  const current = (model: ChatModel): ReturnType<typeof growthOf> =>
    growthOf(models.of(model.key), model, model.loadId === undefined ? undefined : atLoad.get(model.loadId));

  return {
    expectedBytes: (model, prompt) => current(model)?.expectedBytes(prompt),
    ran(model, prompt, { outputTokens, predicted, endedAt, whose }) {
      current(model)?.ran(prompt, outputTokens, predicted);
      models.of(model.key).lastEndedAt = endedAt;
      measuring.set(model.key, [...(measuring.get(model.key) ?? []), whose].slice(-MOST_UNMEASURED));
    },
    sampled(listed, isBusy, at) {
      for (const { name, loadId, measured } of listed) {
        if (measured === undefined || loadId === undefined) {
          continue;
        }
        const bytes = measured.anonymousBytes + measured.swappedBytes;
        if (!atLoad.has(loadId)) {
          remember(atLoad, loadId, bytes, MOST_LOADS);
        }
        const { key } = parts.model(name);
        const { growth, lastEndedAt = 0 } = models.of(key);
        if (growth?.loadId !== loadId || isBusy(name) || at - lastEndedAt < SETTLE_MS) {
          continue;
        }
        const made = growth.measured(bytes);
        const whose = measuring.get(key) ?? [];
        measuring.delete(key);
        if (made !== undefined && whose.length > 0) {
          parts.grew(whose, made);
        }
      }
    },
    growth(model, next) {
      const learned = models.of(parts.model(model.name).key);
      return learned.growth === undefined || learned.growth.loadId !== model.loadId
        ? undefined
        : learned.growth.now(next(learned));
    },
  };
}
