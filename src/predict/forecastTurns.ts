/**
 * What each turn of a chat takes from headroom, and for how many turns it lasts. Between turns nothing moves, so a trend
 * over seconds sees a staircase; counted by turns it is a straight line.
 */

export interface TurnGrowth {
  /** Bytes that a turn takes: the middle of the last turns, and the range seen. */
  bytesPerTurn: number;
  lowBytes: number;
  highBytes: number;
  turnCount: number;
  /** Middle time from one turn's start to the next. */
  secondsPerTurn: number;
}

export interface TurnTracker {
  /** A request of a chat goes to the model. `expectedBytes`: what it is known to leave, e.g. the prompt before it. */
  turnStarted(atMs: number, expectedBytes?: number): void;
  headroomSeen(atMs: number, bytes: number): void;
  /** A model was loaded or unloaded, or the machine slept: what was counted says nothing about what comes. */
  restart(): void;
  /**
   * Undefined until two whole turns have been seen since the first, or one that took what was expected of it, and when no
   * turn has come for long.
   */
  growth(atMs: number): TurnGrowth | undefined;
}

interface Turn {
  startedAtMs: number;
  /** Headroom just before it; undefined when none was known. */
  beforeBytes?: number;
  expectedBytes?: number;
}

const KEPT_TURNS = 8;
/** A turn takes its share within moments of its start, when the prompt before it is put away. */
const SETTLED_MS = 300;
/** So near to what was expected, one turn proves the expectation. */
const AGREES_RATIO = 0.35;
/** Chats that pause are over until they go on. */
const LONGEST_PAUSE_TURNS = 3;
const SHORTEST_PATIENCE_MS = 30_000;

/** Of the whole machine, not of one chat: headroom is one, and who takes it shows in it only as a sum. */
export function createTurnTracker(): TurnTracker {
  let turns: Turn[] = [];
  let firstStartMs: number | undefined;
  let latest: { atMs: number; bytes: number } | undefined;

  const growths = (): number[] => {
    const starts = turns.map(({ beforeBytes }) => beforeBytes);
    const whole = starts.slice(1).flatMap((after, index) => takenBetween(starts[index], after));
    const running = turns.at(-1);
    if (running === undefined || latest === undefined || latest.atMs - running.startedAtMs < SETTLED_MS) {
      return whole;
    }
    // The running turn may not have taken its share yet: it can prove more growth, not less.
    const sofar = takenBetween(running.beforeBytes, latest.bytes);
    const usual = whole.length === 0 ? 0 : middle(whole.toSorted((a, b) => a - b));
    return [...whole, ...sofar.filter((taken) => taken > 0 && taken >= usual / 2)];
  };

  const isAsExpected = (taken: readonly number[]): boolean => {
    const expected = turns.at(-1)?.expectedBytes;
    const [only] = taken;
    return (
      expected !== undefined &&
      expected > 0 &&
      only !== undefined &&
      Math.abs(only - expected) <= AGREES_RATIO * expected
    );
  };

  return {
    turnStarted(atMs, expectedBytes) {
      if (firstStartMs === undefined) {
        // The first prompt after a load touches buffers that stay: that happens once.
        firstStartMs = atMs;
        return;
      }
      turns.push({ startedAtMs: atMs, beforeBytes: latest?.bytes, expectedBytes });
      if (turns.length > KEPT_TURNS) turns.shift();
    },
    headroomSeen(atMs, bytes) {
      latest = { atMs, bytes };
    },
    restart() {
      turns = [];
      firstStartMs = undefined;
    },
    growth(atMs) {
      const taken = growths().toSorted((a, b) => a - b);
      const seen = turns.map(({ startedAtMs }) => startedAtMs);
      const starts = firstStartMs === undefined || seen.length >= KEPT_TURNS ? seen : [firstStartMs, ...seen];
      const pauses = starts
        .slice(1)
        .map((start, index) => start - (starts[index] ?? start))
        .toSorted((a, b) => a - b);
      const lastStart = starts.at(-1);
      if (!(taken.length >= 2 || isAsExpected(taken)) || pauses.length === 0 || lastStart === undefined)
        return undefined;
      const pauseMs = middle(pauses);
      if (atMs - lastStart > Math.max(SHORTEST_PATIENCE_MS, LONGEST_PAUSE_TURNS * pauseMs)) return undefined;
      return {
        bytesPerTurn: middle(taken),
        lowBytes: taken[0] ?? 0,
        highBytes: taken.at(-1) ?? 0,
        turnCount: taken.length,
        secondsPerTurn: pauseMs / 1000,
      };
    },
  };
}

function takenBetween(before: number | undefined, after: number | undefined): number[] {
  return before === undefined || after === undefined ? [] : [before - after];
}

function middle(sorted: readonly number[]): number {
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
}
