/**
 * llama-server's prompt cache (v0.30 and later): when a slot turns to another prompt, the state of what it held is copied
 * into the runner's memory, up to 8 GiB, whether or not the copy can ever be used again. In a chat that has outgrown its
 * window it never can: each turn leaves one more.
 */
import type { MemoryEstimate } from "../types.ts";

/** What the state of a prompt takes in host memory, wherever the cache itself lies. */
export interface StateCost {
  fullBytesPerToken: number;
  /** Of the layers that look back over a window only. */
  slidingBytesPerToken: number;
  windowTokens: number;
  /** Of layers whose state does not grow with the context. */
  fixedBytes: number;
}

/** `slots`: sequences that share the estimate's caches. `windowTokens`: how far sliding layers look back. */
export function stateCostOf(
  estimate: Pick<MemoryEstimate, "caches" | "kvBytesPerToken">,
  { slots = 1, windowTokens }: { slots?: number; windowTokens?: number } = {},
): StateCost {
  const sequences = Math.max(1, slots);
  const sliding = estimate.caches.find(({ kind }) => kind === "sliding");
  const recurrent = estimate.caches.find(({ kind }) => kind === "recurrent");
  const cells = sliding?.cells ?? 0;
  return {
    fullBytesPerToken: estimate.kvBytesPerToken,
    slidingBytesPerToken: sliding === undefined || cells === 0 ? 0 : sliding.bytes / cells / sequences,
    windowTokens: windowTokens ?? cells,
    fixedBytes: (recurrent?.bytes ?? 0) / sequences,
  };
}

/** Of the cells that a prompt of so many tokens fills. */
export function stateBytes(cost: StateCost, tokens: number): number {
  const inWindow = Math.min(tokens, cost.windowTokens);
  return Math.round(
    cost.fullBytesPerToken * tokens +
      cost.slidingBytesPerToken * inWindow +
      (tokens > 0 ? cost.fixedBytes : 0),
  );
}

/** A copy of what cannot be computed backwards, to go back to a point of the prompt; other models need none. */
function checkpointBytes(cost: StateCost, tokens: number): number {
  return Math.round(
    cost.slidingBytesPerToken * Math.min(tokens, cost.windowTokens) + (tokens > 0 ? cost.fixedBytes : 0),
  );
}

/** What a prompt leaves behind when another one takes its slot. */
export function entryBytes(cost: StateCost, tokens: number, checkpoints: number): number {
  return stateBytes(cost, tokens) + checkpoints * checkpointBytes(cost, tokens);
}

/** Seen on v0.33: a growing chat keeps three, a prompt computed as a whole makes two. */
const MOST_CHECKPOINTS = 3;
export const CHECKPOINTS_OF_A_WHOLE_PROMPT = 2;
/** Less than this part of a slot re-used: its state is kept first. */
const KEPT_SHARE = 0.5;

/** A prompt that is about to take a slot. */
export interface CachedPrompt {
  conversation: string;
  inputTokens: number;
  /** Of the conversation's latest prompt and answer, what this prompt begins with; 0 when its beginning was cut off. */
  sharedTokens: number;
}

export interface PromptCache {
  /** A prompt takes a slot. Answers by how many bytes the kept copies grow (or shrink). */
  take(prompt: CachedPrompt): number;
  /** By how much they would. */
  wouldTake(prompt: CachedPrompt): number;
  /** The answer has been added to the slot. */
  answered(conversation: string, tokens: number): void;
  /** Of the copies. */
  bytes(): number;
  promptCount(): number;
  /** Of the slots in use. */
  checkpointBytes(): number;
}

interface Kept {
  conversation: string;
  tokens: number;
  bytes: number;
}

interface Slot {
  conversation: string;
  tokens: number;
  checkpoints: number;
  usedAt: number;
}

interface State {
  slots: Slot[];
  kept: Kept[];
}

/**
 * A model of llama-server's bookkeeping, empty at first as after a load. `limitBytes`: `LLAMA_ARG_CACHE_RAM`; 0 keeps
 * nothing. A single copy may be larger than the limit, as there.
 */
export function createPromptCache(options: {
  cost: StateCost;
  slots: number;
  limitBytes: number;
}): PromptCache {
  const { cost, limitBytes } = options;
  const slotCount = Math.max(1, options.slots);
  let state: State = { slots: [], kept: [] };
  let clock = 0;

  /** What llama-server does, on a copy. */
  function after({ conversation, inputTokens, sharedTokens }: CachedPrompt, at: number): State {
    let kept = [...state.kept];
    const own = state.slots.find(
      (slot) => slot.conversation === conversation && sharedTokens >= KEPT_SHARE * slot.tokens,
    );
    const oldest = state.slots.toSorted((left, right) => left.usedAt - right.usedAt)[0];
    const taken = own ?? (state.slots.length < slotCount ? undefined : oldest);
    let checkpoints = own === undefined ? CHECKPOINTS_OF_A_WHOLE_PROMPT : own.checkpoints + 1;
    if (own === undefined) {
      if (taken !== undefined && limitBytes > 0) {
        const bytes = entryBytes(cost, taken.tokens, taken.checkpoints);
        kept.push({ conversation: taken.conversation, tokens: taken.tokens, bytes });
      }
      const back =
        sharedTokens > 0
          ? kept.findLast((entry) => entry.conversation === conversation && entry.tokens <= sharedTokens + 1)
          : undefined;
      kept = kept.filter((entry) => entry !== back);
      while (kept.length > 1 && total(kept) > limitBytes) {
        kept.shift();
      }
      checkpoints = back === undefined && inputTokens < cost.windowTokens ? 1 : checkpoints;
    }
    const slot = {
      conversation,
      tokens: inputTokens,
      checkpoints: Math.min(MOST_CHECKPOINTS, checkpoints),
      usedAt: at,
    };
    return { kept, slots: [...state.slots.filter((other) => other !== taken), slot] };
  }

  return {
    take(prompt) {
      const before = total(state.kept);
      clock += 1;
      state = after(prompt, clock);
      return total(state.kept) - before;
    },
    wouldTake: (prompt) => total(after(prompt, clock + 1).kept) - total(state.kept),
    answered(conversation, tokens) {
      const slot = state.slots.findLast((entry) => entry.conversation === conversation);
      if (slot !== undefined) {
        slot.tokens += tokens;
      }
    },
    bytes: () => total(state.kept),
    promptCount: () => state.kept.length,
    checkpointBytes: () =>
      state.slots.reduce((sum, slot) => sum + slot.checkpoints * checkpointBytes(cost, slot.tokens), 0),
  };
}

function total(kept: readonly Kept[]): number {
  return kept.reduce((sum, { bytes }) => sum + bytes, 0);
}
