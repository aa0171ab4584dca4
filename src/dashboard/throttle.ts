/** Runs something at once, then at most once per interval, and never loses the last request. */
export interface Throttle {
  request(): void;
  stop(): void;
}

export function createThrottle(options: { intervalMs: number; monotonic(): number; run(): void }): Throttle {
  const { intervalMs, monotonic, run } = options;
  let timer: NodeJS.Timeout | undefined;
  let lastRunAt = Number.NEGATIVE_INFINITY;

  const runNow = (): void => {
    timer = undefined;
    lastRunAt = monotonic();
    run();
  };

  return {
    request() {
      if (timer !== undefined) return;
      const waitMs = lastRunAt + intervalMs - monotonic();
      if (waitMs <= 0) runNow();
      else timer = setTimeout(runNow, waitMs).unref();
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
