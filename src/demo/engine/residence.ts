/** A runner's stay in memory: who uses it, who waits for its slot, and when it has been idle for long enough. */
import type { Clock } from "../clock.ts";
import { createQueue } from "./queue.ts";
import type { Runner } from "./runner.ts";

/** A runner in use. It is neither replaced nor ended before `release`. */
export interface Lease {
  runner: Runner;
  /** What `load_duration` says: everything until the runner was there. */
  loadMs: number;
  /** Waits for its turn in the slot; resolves with the milliseconds that took. */
  turn(signal: AbortSignal): Promise<number>;
  release(): void;
}

export interface Residence {
  /** The name that loaded the weights: `/api/ps` shows no other. */
  name: string;
  runner: Runner;
  /** Epoch milliseconds; moves only when a request ends. */
  expiresAt(): number;
  idle(): boolean;
  /** Counts a user in. A keep_alive given once stays with the runner. */
  use(keepAliveMs: number | undefined, loadMs: number): Lease;
  /** Resolves when the last user has gone. */
  becomesIdle(): Promise<void>;
  end(): void;
}

const DEFAULT_KEEP_ALIVE_MS = 300_000;
/** How Ollama writes "for ever": some 292 years. */
const FOR_EVER_MS = 9_223_372_036_854;

export function createResidence(parts: {
  name: string;
  runner: Runner;
  clock: Clock;
  /** Idle for longer than keep_alive. */
  onExpired(): void;
}): Residence {
  const { runner, clock } = parts;
  const slot = createQueue();
  const waitingForIdle: (() => void)[] = [];
  let users = 0;
  let keepAliveMs = DEFAULT_KEEP_ALIVE_MS;
  let expiresAt = runner.startedAt + DEFAULT_KEEP_ALIVE_MS;
  let expiry = new AbortController();

  const nowIdle = (): void => {
    for (const resume of waitingForIdle.splice(0)) resume();
  };
  const startExpiry = (): void => {
    const timer = new AbortController();
    expiry = timer;
    expiresAt = clock.now() + (keepAliveMs < 0 ? FOR_EVER_MS : keepAliveMs);
    if (keepAliveMs < 0) return;
    clock.sleep(keepAliveMs, timer.signal).then(
      () => {
        if (!timer.signal.aborted) parts.onExpired();
      },
      () => undefined,
    );
  };
  const leave = (): void => {
    users -= 1;
    if (users > 0) return;
    startExpiry();
    nowIdle();
  };

  return {
    name: parts.name,
    runner,
    expiresAt: () => expiresAt,
    idle: () => users === 0,
    use: (wantedKeepAliveMs, loadMs) => {
      users += 1;
      expiry.abort();
      keepAliveMs = wantedKeepAliveMs ?? keepAliveMs;
      let inSlot = false;
      let released = false;
      return {
        runner,
        loadMs,
        turn: async (signal) => {
          const askedAt = clock.monotonic();
          const waited = await slot.enter(signal);
          inSlot = true;
          return waited ? clock.monotonic() - askedAt : 0;
        },
        release: () => {
          if (released) return;
          released = true;
          if (inSlot) slot.leave();
          leave();
        },
      };
    },
    becomesIdle: () =>
      users === 0 ? Promise.resolve() : new Promise((resolve) => void waitingForIdle.push(resolve)),
    end: () => {
      expiry.abort();
      nowIdle();
    },
  };
}
