import type { FromWorker, Question, Questions, Topic } from "./messages.ts";

/** Questions to the worker that wait for their answer. */
export interface Asks {
  ask<T extends Topic>(topic: T, ask: Questions[T]["ask"], limitMs?: number): Promise<Questions[T]["answer"]>;
  settle(message: Extract<FromWorker, { type: "answer" | "unanswered" }>): void;
  /** Rejects everything that waits. */
  failAll(reason: string): void;
  /** Whether an answer is expected that may rightly take long. */
  awaitsSlowAnswer(): boolean;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
  isSlow: boolean;
}

/** After so long a page should rather say that the disk does not answer. */
const answerLimitMs = 5000;

/** More than so many waiting questions mean that nobody will wait for the answers. */
const mostWaiting = 100;

/** `post` answers false when there is no thread to ask. */
export function createAsks(post: (number: number, question: Question) => boolean): Asks {
  const waiting = new Map<number, Waiting>();
  let last = 0;

  function settleOne(number: number, settle: (one: Waiting) => void): void {
    const one = waiting.get(number);
    if (one === undefined) return;
    clearTimeout(one.timer);
    waiting.delete(number);
    settle(one);
  }

  function fail(number: number, error: Error): void {
    settleOne(number, ({ reject }) => reject(error));
  }

  return {
    ask(topic, ask, limitMs = answerLimitMs) {
      if (waiting.size >= mostWaiting) {
        return Promise.reject(
          new Error(`The recorder has ${mostWaiting} questions waiting. Ask again later.`),
        );
      }
      last += 1;
      const number = last;
      return new Promise((resolve, reject) => {
        const timeout = new Error(
          `The recorder has not answered within ${limitMs / 1000} s: its disk may be stalled.`,
        );
        const timer = setTimeout(fail, limitMs, number, timeout).unref();
        const isSlow = limitMs > answerLimitMs;
        waiting.set(number, { resolve, reject, timer, isSlow });
        // The worker answers every topic with the type that Questions gives it.
        if (!post(number, { topic, ask } as Question))
          fail(number, new Error("The recorder is being restarted."));
      });
    },
    settle(message) {
      if (message.type === "answer") settleOne(message.number, ({ resolve }) => resolve(message.answer));
      else
        fail(
          message.number,
          message.badCursor ? new RangeError(message.message) : new Error(message.message),
        );
    },
    failAll(reason) {
      for (const number of waiting.keys()) fail(number, new Error(reason));
    },
    awaitsSlowAnswer: () => [...waiting.values()].some(({ isSlow }) => isSlow),
  };
}
