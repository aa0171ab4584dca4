/** How many turns a chat has left, by its own growth, and which ends first: its window or the machine's memory. */
import type { Conversation, Predicted } from "../types.ts";

export interface LeftFacts {
  /** Turns after this one whose prompts still fit, with their range; absent when nothing tells how the chat grows. */
  window?: Predicted;
  /** Bytes until swapping starts. */
  headroomBytes?: number;
  /** What a turn adds to the runner's memory while the chat fits, and once it does not. */
  bytesPerTurn?: number;
  bytesPerTurnAfter?: number;
  /** What may still be added to the prompts that the runner keeps; then the oldest make room. */
  promptCacheLeftBytes?: number;
}

/** Nobody waits for more turns than this: what is further away is not said. */
const FARTHEST_TURNS = 10_000;

/**
 * Both ends, as far as they are known, and which comes first. Memory's low and high are the same walk with a quarter
 * more and a fifth less a turn.
 */
export function turnsLeft(facts: LeftFacts): Pick<Conversation, "turnsLeft" | "endsFirst"> {
  const memory = memoryTurns(facts);
  const { window } = facts;
  const endsFirst = whichEnds(window, memory);
  return {
    ...((window !== undefined || memory !== undefined) && {
      turnsLeft: { ...(window !== undefined && { window }), ...(memory !== undefined && { memory }) },
    }),
    ...(endsFirst !== undefined && { endsFirst }),
  };
}

/** Undefined: headroom is not known, or it does not end. */
function memoryTurns(facts: LeftFacts): Predicted | undefined {
  const { headroomBytes, window } = facts;
  if (headroomBytes === undefined) {
    return undefined;
  }
  const turns = (fitting: number | undefined, factor: number): number | undefined =>
    walk({
      headroomBytes,
      fitting: fitting ?? FARTHEST_TURNS,
      before: (facts.bytesPerTurn ?? 0) * factor,
      after: (facts.bytesPerTurnAfter ?? 0) * factor,
      cacheLeftBytes: facts.promptCacheLeftBytes ?? Infinity,
    });
  const predicted = turns(window?.predicted, 1);
  if (predicted === undefined) {
    return undefined;
  }
  const low = turns(window?.low ?? window?.predicted, 1.25);
  const high = turns(window?.high ?? window?.predicted, 0.8);
  return { predicted, low: low ?? predicted, ...(high !== undefined && { high }) };
}

function walk(facts: {
  headroomBytes: number;
  fitting: number;
  before: number;
  after: number;
  cacheLeftBytes: number;
}): number | undefined {
  const { headroomBytes, fitting, before, after } = facts;
  if (headroomBytes <= 0) {
    return 0;
  }
  const whileFitting = before > 0 ? Math.floor(headroomBytes / before) : Infinity;
  if (whileFitting <= fitting) {
    return whileFitting <= FARTHEST_TURNS ? whileFitting : undefined;
  }
  const rest = headroomBytes - fitting * before;
  if (after <= 0 || rest > facts.cacheLeftBytes) {
    return undefined;
  }
  const turns = fitting + Math.floor(rest / after);
  return turns <= FARTHEST_TURNS ? turns : undefined;
}

function whichEnds(
  window: Predicted | undefined,
  memory: Predicted | undefined,
): Conversation["endsFirst"] | undefined {
  if (memory === undefined) {
    return window === undefined ? undefined : "window";
  }
  return window === undefined || memory.predicted < window.predicted ? "memory" : "window";
}
