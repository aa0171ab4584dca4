/**
 * The slot of a runner and its prompt cache: which tokens of a prompt need not be computed again, and what that costs in
 * memory. The rules are llama-server's: a prompt that shares too little with the slot pushes the slot's state, as a copy,
 * into the prompt cache, whether or not the copy can ever be used again. In a chat that overflows its window it cannot.
 */
import type { SimulatedModel } from "./models.ts";
import { checkpointBytes, PROMPT_CACHE_LIMIT_BYTES, stateBytes } from "./sizes.ts";

export interface Slot {
  /** Takes a prompt in. `cachedTokens` of it are there already; the others have to be computed. */
  take(prompt: readonly number[]): { cachedTokens: number };
  /** Adds a generated token; false when the window is full and must not be shifted. */
  append(token: number): boolean;
  /** Forgets everything from this token on: computing was broken off. */
  cut(tokens: number): void;
  tokens(): number;
  promptCacheBytes(): number;
  checkpointBytes(): number;
}

interface Saved {
  tokens: readonly number[];
  bytes: number;
}

/** `--slot-prompt-similarity`: a prompt less alike than this gets the slot only after its state has been saved. */
const SIMILAR_ENOUGH = 0.1;
/** Less than this part of the slot re-used: save it too. */
const KEPT_ENOUGH = 0.5;
const WORTH_LOADING = 0.25;
/** Seen in recordings: a growing chat keeps three, a window computed again makes two. */
const MOST_CHECKPOINTS = 3;
const CHECKPOINTS_OF_A_WHOLE_PROMPT = 2;
/** `--keep 4` and the first token. */
export const KEPT_TOKENS = 5;

export function createSlot(model: SimulatedModel, shape: { contextLength: number; canShift: boolean }): Slot {
  let current: number[] = [];
  let checkpoints = 0;
  let saved: Saved[] = [];

  const save = (): void => {
    if (current.length === 0) return;
    saved = saved.filter((entry) => sharedPrefix(entry.tokens, current) < entry.tokens.length);
    if (saved.some((entry) => sharedPrefix(entry.tokens, current) === current.length)) return;
    const bytes = stateBytes(model, current.length) + checkpoints * checkpointBytes(model);
    saved.push({ tokens: current, bytes });
    while (saved.length > 1 && totalBytes(saved) > PROMPT_CACHE_LIMIT_BYTES) saved.shift();
  };
  const loadBetter = (prompt: readonly number[]): void => {
    const base = likeness(current, prompt);
    const best = saved.findLast((entry) => {
      const likely = likeness(entry.tokens, prompt);
      return likely.kept >= WORTH_LOADING && likely.kept > base.kept && likely.similar > base.similar;
    });
    if (best === undefined) return;
    saved = saved.filter((entry) => entry !== best);
    current = [...best.tokens];
  };

  return {
    take: (prompt) => {
      const { similar, kept } = likeness(current, prompt);
      if (current.length > 0 && (similar <= SIMILAR_ENOUGH || kept < KEPT_ENOUGH)) {
        save();
        loadBetter(prompt);
      }
      const cachedTokens = reusable(model, current, prompt);
      checkpoints =
        cachedTokens === 0 ? CHECKPOINTS_OF_A_WHOLE_PROMPT : Math.min(MOST_CHECKPOINTS, checkpoints + 1);
      current = [...prompt];
      return { cachedTokens };
    },
    append: (token) => {
      if (current.length >= shape.contextLength) {
        if (!shape.canShift) return false;
        current.splice(KEPT_TOKENS, Math.floor((current.length - KEPT_TOKENS) / 2));
      }
      current.push(token);
      return true;
    },
    cut: (tokens) => {
      current.length = Math.min(tokens, current.length);
    },
    tokens: () => current.length,
    promptCacheBytes: () => totalBytes(saved),
    checkpointBytes: () => (current.length === 0 ? 0 : checkpoints * checkpointBytes(model)),
  };
}

/** The last token is always computed; a sliding window cannot go back further than it reaches. */
function reusable(model: SimulatedModel, slot: readonly number[], prompt: readonly number[]): number {
  const shared = Math.min(sharedPrefix(slot, prompt), prompt.length - 1);
  const window = model.slidingWindow?.tokens;
  return window !== undefined && slot.length - shared > window ? 0 : Math.max(0, shared);
}

/** How much of the prompt is there already, and how much of what is there would be kept. */
function likeness(there: readonly number[], prompt: readonly number[]): { similar: number; kept: number } {
  const shared = sharedPrefix(there, prompt);
  return { similar: shared / Math.max(1, prompt.length), kept: shared / Math.max(1, there.length) };
}

function sharedPrefix(left: readonly number[], right: readonly number[]): number {
  const longest = Math.min(left.length, right.length);
  let shared = 0;
  while (shared < longest && left[shared] === right[shared]) shared += 1;
  return shared;
}

function totalBytes(entries: readonly Saved[]): number {
  return entries.reduce((total, entry) => total + entry.bytes, 0);
}
