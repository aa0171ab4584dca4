/** Tells whether the wall clock can be trusted with deleting what is old. */
export interface ClockWatch {
  /** To be asked once a minute. */
  isSteady(): boolean;
}

/** A clock that is disciplined moves by less in a minute. */
const toleranceMs = 60_000;
const distrustMs = 10 * 60_000;

/**
 * A clock that is set a year ahead for a minute would make everything on record too old to keep. So after a jump
 * against the monotonic clock nothing is deleted for ten minutes, time enough for it to be set right. Waking from
 * sleep looks the same and costs only that delay.
 */
export function watchClock(now: () => number, monotonic: () => number): ClockWatch {
  let offsetMs = now() - monotonic();
  let distrustedUntil = -Infinity;
  return {
    isSteady() {
      const current = now() - monotonic();
      if (Math.abs(current - offsetMs) > toleranceMs) distrustedUntil = monotonic() + distrustMs;
      offsetMs = current;
      return monotonic() >= distrustedUntil;
    },
  };
}
