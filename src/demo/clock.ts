/** One clock for everything simulated: it runs at a factor of real time, and whoever is given it sees one time. */
import { setImmediate as waitTurn, setTimeout as waitReal } from "node:timers/promises";

export interface Clock {
  /** Epoch milliseconds, with fractions. */
  now(): number;
  /** Milliseconds that only grow. */
  monotonic(): number;
  /** Waits on this clock. Rejects as soon as the signal says so. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** The time that computing takes: like `sleep`, but skipped where nothing is to be waited for. */
  work(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface ClockOptions {
  /** Clock milliseconds in a real one. */
  speed?: number;
  /** Computing takes no time at all, only a turn of the event loop; timers still run. For tests of everything but time. */
  instant?: boolean;
  now?: () => number;
  monotonic?: () => number;
  wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A timer takes 31 bits of milliseconds; longer waits are made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createClock(options: ClockOptions = {}): Clock {
  const { speed = 1, instant = false, wait = waitUnreferenced } = options;
  const now = options.now ?? Date.now;
  const realMonotonic = options.monotonic ?? performance.now.bind(performance);
  const nowAtStart = now();
  const monotonicAtStart = realMonotonic();
  const passed = (): number => (realMonotonic() - monotonicAtStart) * speed;

  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    let left = ms / speed;
    while (left > 0) {
      const step = Math.min(left, LONGEST_TIMER_MS);
      await wait(step, signal);
      left -= step;
    }
  };
  return {
    now: () => nowAtStart + passed(),
    monotonic: () => monotonicAtStart + passed(),
    sleep,
    // Referenced: an unreferenced turn would wait until something else wakes the loop.
    work: instant ? (_ms, signal) => waitTurn(undefined, withSignal(signal)) : sleep,
  };
}

async function waitUnreferenced(ms: number, signal?: AbortSignal): Promise<void> {
  await waitReal(ms, undefined, { ref: false, ...withSignal(signal) });
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
