/** How full the context of a chat is, and how much of a prompt was there already. */
import type { StateCost } from "../predict/promptCache.ts";
import { stateBytes } from "../predict/promptCache.ts";
import type { MemoryEstimate } from "../types.ts";

export interface Occupancy {
  occupiedBytes?: number;
  allocatedBytes?: number;
}

/** Bytes of one slot: what its tokens fill against what the load allocated for it. */
export function occupiedBytes(
  usedTokens: number,
  model: { estimate: MemoryEstimate; cost: StateCost; slots?: number },
): Occupancy {
  const { kvCacheBytes, recurrentStateBytes } = model.estimate;
  const all =
    kvCacheBytes.hostBytes +
    kvCacheBytes.deviceBytes +
    recurrentStateBytes.hostBytes +
    recurrentStateBytes.deviceBytes;
  const allocatedBytes = Math.round(all / Math.max(1, model.slots ?? 1));
  return allocatedBytes === 0
    ? {}
    : { allocatedBytes, occupiedBytes: Math.min(allocatedBytes, stateBytes(model.cost, usedTokens)) };
}

export interface PromptTime {
  inputTokens: number;
  prefillMs: number;
  /** Of the prompt, what the runner is thought to have had. */
  heldTokens: number;
  /** Nothing else was asked of the runner since: it takes a clear sign to believe that it does not have them. */
  surelyHeld?: boolean;
  /** The model's own time for a prompt of which so much was cached; undefined while it is not known. */
  msOf(work: { uncachedTokens: number; cachedTokens: number }): number | undefined;
}

/** A time within this factor of the expected one is explained by it. */
const EXPLAINED = 1.5;
/** What makes a whole prompt a clear sign: its time is far from that of the rest alone, and was taken. */
const CLEAR_FACTOR = 2.5;
const CLEAR_SHARE = 0.7;

/**
 * Tokens that were not computed again, from the time that the prompt took; Ollama does not tell. Undefined while the
 * model's speed is not known.
 */
export function cachedTokens({
  inputTokens,
  prefillMs,
  heldTokens,
  surelyHeld,
  msOf,
}: PromptTime): number | undefined {
  const time = (cached: number): number | undefined =>
    msOf({ uncachedTokens: inputTokens - cached, cachedTokens: cached });
  // The first token of an answer comes out of the prompt's last one, so that is always computed.
  const most = Math.max(0, inputTokens - 1);
  const held = Math.min(Math.max(0, heldTokens), most);
  const [asHeld, whole] = [time(held), time(0)];
  if (asHeld === undefined || whole === undefined) {
    return undefined;
  }
  const isClear = whole >= CLEAR_FACTOR * asHeld && prefillMs >= CLEAR_SHARE * whole;
  if (surelyHeld === true && held > 0 && !isClear) {
    return held;
  }
  const nearer = (one: number, other: number): boolean =>
    Math.abs(Math.log(prefillMs / one)) <= Math.abs(Math.log(prefillMs / other));
  if (isNear(prefillMs, asHeld) && (held === 0 || nearer(asHeld, whole))) {
    return held;
  }
  if (isNear(prefillMs, whole) || prefillMs >= whole) {
    return 0;
  }
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if ((time(middle) ?? 0) > prefillMs) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

function isNear(actual: number, expected: number): boolean {
  return actual < expected * EXPLAINED && actual > expected / EXPLAINED;
}
