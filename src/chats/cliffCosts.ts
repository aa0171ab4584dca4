/** What a prompt that no longer fits will cost, by what is known of the model now. */
import type { ChatModel } from "../types.ts";
import { isAtLeast, parseOllamaVersion } from "../predict/ollamaVersion.ts";
import type { CliffCosts } from "./cliffWatch.ts";
import { costOf, type ModelMemory } from "./modelMemory.ts";
import type { MsOf } from "./openTurn.ts";

export function cliffCosts(
  model: ChatModel,
  memory: ModelMemory,
  { prefillMs, ollamaVersion }: { prefillMs: MsOf; ollamaVersion: string | undefined },
): CliffCosts {
  const cost = costOf(model);
  const growth = model.loadId === memory.growth?.loadId ? memory.growth : undefined;
  const keeps = growth?.keepsPrompts() ?? (model.estimate?.promptCacheLimitBytes ?? 0) > 0;
  const allIsTimed = isAtLeast(parseOllamaVersion(ollamaVersion), 30);
  return {
    prefillMs,
    ...(allIsTimed && { restMs: (memory.restMs.median() ?? 0) + (memory.warmLoadMs.median() ?? 0) }),
    ...(cost !== undefined && keeps && { cost }),
    outputTokens: memory.outputTokens.median() ?? 0,
    slides: (cost?.slidingBytesPerToken ?? 0) > 0 || (cost?.fixedBytes ?? 0) > 0,
  };
}
