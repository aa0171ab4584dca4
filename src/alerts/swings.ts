/**
 * Falls of headroom, told apart from trembling, and which of them ended by themselves. A machine on which builds take
 * gigabytes and give them back every few minutes has such falls all day; one more like them is no news.
 */

export interface Swings {
  /** `bytes`: headroom. */
  feed(bytes: number, atMs: number, capacityBytes: number): void;
  /** What there was before the present fall; undefined while headroom rises. */
  highBytes(): number | undefined;
  /** The present fall is like several that ended by themselves lately: no deeper, and no longer. */
  isUsual(bytes: number, atMs: number): boolean;
  /** Memory goes up and down here all the time: several falls ended by themselves lately, whatever their size. */
  isRestless(atMs: number): boolean;
  restart(): void;
}

interface Swing {
  atMs: number;
  /** The least that was left. */
  lowBytes: number;
  fallMs: number;
  fallBytes: number;
}

/** Turning by so much of memory is a turn. */
const TURN_RATIO = 0.02;
/** What came back to at least so much of the fall. */
const RECOVERED_RATIO = 0.4;
const REMEMBERED_MS = 3 * 3_600_000;
const MOST_SWINGS = 64;
/** So many alike make a habit. */
const HABIT = 3;
/** A fall that lasts longer than this many times those before is not like them. */
const LONGER_RATIO = 1.5;

/** Three hours are remembered. */
export function createSwings(): Swings {
  let swings: Swing[] = [];
  let direction: "falls" | "rises" = "rises";
  let high = { bytes: -Infinity, atMs: 0 };
  let low = { bytes: Infinity, atMs: 0 };
  /** Fallen and not come back yet: it may be a step that stays. */
  let pending: Swing[] = [];

  const remember = (bytes: number, atMs: number): void => {
    const recovered = pending.filter(
      ({ lowBytes, fallBytes }) => bytes - lowBytes >= RECOVERED_RATIO * fallBytes,
    );
    if (recovered.length === 0) return;
    pending = pending.filter((swing) => !recovered.includes(swing));
    swings = [...swings, ...recovered]
      .filter((swing) => atMs - swing.atMs < REMEMBERED_MS)
      .slice(-MOST_SWINGS);
  };

  return {
    feed(bytes, atMs, capacityBytes) {
      const turn = TURN_RATIO * capacityBytes;
      if (direction === "rises") {
        if (bytes >= high.bytes) high = { bytes, atMs };
        else if (high.bytes - bytes >= turn) {
          direction = "falls";
          low = { bytes, atMs };
        }
      } else if (bytes <= low.bytes) low = { bytes, atMs };
      else if (bytes - low.bytes >= turn) {
        direction = "rises";
        pending = [
          ...pending,
          {
            atMs: low.atMs,
            lowBytes: low.bytes,
            fallMs: low.atMs - high.atMs,
            fallBytes: high.bytes - low.bytes,
          },
        ].slice(-MOST_SWINGS);
        high = { bytes, atMs };
      }
      remember(bytes, atMs);
    },
    highBytes: () => (direction === "falls" ? high.bytes : undefined),
    isUsual(bytes, atMs) {
      const recent = swings.filter((swing) => atMs - swing.atMs < REMEMBERED_MS);
      const fallMs = direction === "falls" ? atMs - high.atMs : 0;
      const alike = recent.filter(
        (swing) => swing.lowBytes <= bytes && fallMs <= LONGER_RATIO * swing.fallMs,
      );
      return alike.length >= HABIT;
    },
    isRestless: (atMs) => swings.filter((swing) => atMs - swing.atMs < REMEMBERED_MS).length >= HABIT,
    restart() {
      direction = "rises";
      high = { bytes: -Infinity, atMs: 0 };
      pending = [];
    },
  };
}
