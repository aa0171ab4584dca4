/** What a prompt that no longer fits will cost, by what is known of the model now. */
import type { ChatModel } from "../types.ts";
import { isAtLeast, parseOllamaVersion } from "../predict/ollamaVersion.ts";
import type { CliffCosts } from "./cliffWatch.ts";
import { costOf, type LearnedFigures } from "./learnedByModel.ts";
import type { MsOf } from "./openTurn.ts";

/**
 * Whether the runner keeps prompts is believed from its own growth once that has shown, from the estimate until then.
 */
export function cliffCosts(
  model: ChatModel,
  learned: LearnedFigures,
  { prefillMs, ollamaVersion }: { prefillMs: MsOf; ollamaVersion: string | undefined },
): CliffCosts {
  const cost = costOf(model);
  const growth = model.loadId === learned.growth?.loadId ? learned.growth : undefined;
  const keeps = growth?.keepsPrompts() ?? (model.estimate?.promptCacheLimitBytes ?? 0) > 0;
  const allIsTimed = isAtLeast(parseOllamaVersion(ollamaVersion), 30);
  return {
    prefillMs,
    ...(allIsTimed && { restMs: (learned.restMs.median() ?? 0) + (learned.warmLoadMs.median() ?? 0) }),
    ...(cost !== undefined && keeps && { cost }),
    outputTokens: learned.outputTokens.median() ?? 0,
    slides: (cost?.slidingBytesPerToken ?? 0) > 0 || (cost?.fixedBytes ?? 0) > 0,
  };
}
