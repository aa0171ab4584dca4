/** A timer on an absolute grid. */
export interface Ticker {
  /** Changes the step; the next tick comes one new step from now. */
  setInterval(intervalMs: number): void;
  stop(): void;
}

/**
 * Calls `onTick` at start + n × interval, by a clock that never jumps. Ticks that could not be kept are skipped, not
 * made up for: after a stall there is one late tick and then the grid again, so the work never comes in a burst.
 * The timer does not keep the process alive.
 */
export function createTicker(options: {
  intervalMs: number;
  monotonic: () => number;
  onTick: () => void;
}): Ticker {
  const { monotonic, onTick } = options;
  let intervalMs = options.intervalMs;
  let originMs = monotonic();
  let step = 0;
  let timer: NodeJS.Timeout | undefined;

  const arm = (): void => {
    const elapsedMs = monotonic() - originMs;
    // Timers may fire a fraction early: without "after the last step" the same tick would come twice.
    step = Math.max(step + 1, Math.floor(elapsedMs / intervalMs) + 1);
    timer = setTimeout(tick, step * intervalMs - elapsedMs);
    timer.unref();
  };
  const tick = (): void => {
    arm();
    onTick();
  };

  arm();
  return {
    setInterval: (newIntervalMs) => {
      if (newIntervalMs === intervalMs) return;
      clearTimeout(timer);
      intervalMs = newIntervalMs;
      originMs = monotonic();
      step = 0;
      arm();
    },
    stop: () => clearTimeout(timer),
  };
}
