/**
 * What is worth doing on this machine, with its figures: nothing when nothing is. Each model is advised one context and no
 * more, and what one piece of advice frees is not counted in another.
 */
import type { Advice } from "../types.ts";
import { chatAdvice } from "./chats.ts";
import { contextAdvice } from "./contexts.ts";
import type { AdviceFacts } from "./facts.ts";
import { memoryAdvice } from "./memory.ts";
import { modelUses } from "./modelUse.ts";
import { reloadAdvice } from "./reloads.ts";

/** The most worthwhile first; the same facts give the same order. */
export function advise(facts: AdviceFacts): Advice[] {
  const uses = modelUses(facts);
  const reloads = reloadAdvice(facts, uses);
  const contexts = contextAdvice(facts, uses, reloads.fought);
  return [
    ...chatAdvice(facts, new Set([...reloads.fought, ...contexts.contexts.keys()])),
    ...reloads.weighed,
    ...contexts.weighed,
    ...memoryAdvice(facts, contexts.contexts),
  ]
    .toSorted((left, right) => right.weight - left.weight || (left.advice.id < right.advice.id ? -1 : 1))
    .map(({ advice }) => advice);
}
