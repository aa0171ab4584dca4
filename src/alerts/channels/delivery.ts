/** Sends one channel's messages one after the other, tries again for a while, and never lets anybody wait. */
import type { ChannelHealth, Log } from "../../types.ts";
import { DeliveryError, type AlertMessage, type Channel } from "./channel.ts";

export interface Delivery {
  channel: Channel;
  /** Puts a message in the queue. */
  push(message: AlertMessage): void;
  /** One attempt, now, beside the queue. Never rejects. */
  tryOnce(message: AlertMessage): Promise<{ delivered: boolean; problem?: string }>;
  health(): ChannelHealth;
  close(): void;
}

/** Messages that wait; the oldest gives way. */
const MOST_WAITING = 16;
/** Before the second and the third attempt. */
const PAUSES_MS = [2000, 10_000];
/** An alert that could not be sent for so long says nothing about now. */
const STALE_MS = 10 * 60_000;

/**
 * Three attempts, 2 and 10 s apart, where a later one may succeed; what waited over ten minutes is dropped and
 * counted.
 */
export function createDelivery(parts: {
  channel: Channel;
  now: () => number;
  log: Pick<Log, "warn" | "info">;
  /** Before a further attempt. */
  pausesMs?: readonly number[];
}): Delivery {
  const { channel, now, log, pausesMs = PAUSES_MS } = parts;
  const ending = new AbortController();
  const waiting: AlertMessage[] = [];
  let working = false;
  let inFlight: Promise<unknown> = Promise.resolve();
  let deliveredAt: number | undefined;
  let failedCount = 0;
  let problem: string | undefined;

  /** One at a time: a test must not cross a message on its way. */
  const attempt = (message: AlertMessage): Promise<void> => {
    const attempted = inFlight.then(() => attemptNow(message));
    inFlight = attempted.catch(() => {});
    return attempted;
  };

  const attemptNow = async (message: AlertMessage): Promise<void> => {
    const limit = new AbortController();
    const stop = (): void => limit.abort();
    ending.signal.addEventListener("abort", stop);
    let timer: NodeJS.Timeout | undefined;
    try {
      // Whatever a channel does with its signal, it is not waited for beyond its time.
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          limit.abort();
          reject(new DeliveryError("did not answer in time", true));
        }, channel.timeLimitMs);
      });
      await Promise.race([channel.send(message, limit.signal), late]);
    } finally {
      clearTimeout(timer);
      ending.signal.removeEventListener("abort", stop);
    }
  };

  const succeed = (): void => {
    if (problem !== undefined) {
      log.info(`alerts reach ${channel.name} again`);
    }
    problem = undefined;
    deliveredAt = now();
  };

  const fail = (error: unknown): string => {
    // Only words of our own are kept: another error's text could hold an address, and addresses are secrets.
    const reason = error instanceof DeliveryError ? error.message : "failed unexpectedly";
    if (problem !== reason) {
      log.warn(`an alert could not be sent to ${channel.name}`, { reason });
    }
    problem = reason;
    return reason;
  };

  const deliver = async (message: AlertMessage): Promise<void> => {
    for (let tries = 0; ; tries += 1) {
      try {
        await attempt(message);
        succeed();
        return;
      } catch (error) {
        const pauseMs = pausesMs[tries];
        const again = error instanceof DeliveryError && error.again;
        if (!again || pauseMs === undefined || ending.signal.aborted) {
          failedCount += 1;
          fail(error);
          return;
        }
        await pause(pauseMs, ending.signal);
      }
    }
  };

  const work = async (): Promise<void> => {
    working = true;
    for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
      if (ending.signal.aborted || now() - message.at > STALE_MS) {
        failedCount += 1;
      } else {
        await deliver(message);
      }
    }
    working = false;
  };

  return {
    channel,
    push(message) {
      waiting.push(message);
      if (waiting.length > MOST_WAITING) {
        waiting.shift();
        failedCount += 1;
      }
      if (!working) {
        void work();
      }
    },
    async tryOnce(message) {
      try {
        await attempt(message);
        succeed();
        return { delivered: true };
      } catch (error) {
        return { delivered: false, problem: fail(error) };
      }
    },
    health() {
      const reason = problem ?? channel.unusable;
      return {
        channel: channel.name,
        type: channel.type,
        state: reason !== undefined ? "failing" : deliveredAt === undefined ? "untried" : "ok",
        ...(deliveredAt !== undefined && { deliveredAt }),
        failedCount,
        ...(reason !== undefined && { problem: reason }),
      };
    },
    close() {
      ending.abort();
      waiting.length = 0;
      channel.close?.();
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
