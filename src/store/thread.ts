import { Worker } from "node:worker_threads";
import { describe } from "./failures.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";

/** The worker thread, started again whenever it dies. */
export interface Thread {
  /** False while there is no thread. Messages arrive in order. */
  post(message: ToWorker): boolean;
  /** The thread has proved useful: should it die, start the next one without delay. */
  worked(): void;
  /** Ends the thread by message; only one that does not obey within `limitMs` is killed. */
  stop(limitMs: number): Promise<void>;
}

interface ThreadParts {
  settings: (firstStart: boolean) => WorkerSettings;
  onMessage(message: FromWorker): void;
  /** It ended though nobody asked it to. What it had not answered is lost to it. */
  onDeath(reason: string): void;
}

const workerUrl = new URL(import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js", import.meta.url);

/** Far above what the recorder needs: some ways of running into the limit end the whole program, not just the thread. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 };

const longestPauseMs = 30_000;

/** Starts the thread. */
export function startThread(parts: ThreadParts): Thread {
  let worker: Worker | undefined;
  let isStopping = false;
  let deaths = 0;
  let restart: NodeJS.Timeout | undefined;

  function start(firstStart: boolean): void {
    let reason = "it ended by itself";
    try {
      worker = new Worker(workerUrl, { workerData: parts.settings(firstStart), resourceLimits });
    } catch (error) {
      // A system out of threads must not take the program with it.
      setImmediate(died, describe(error));
      return;
    }
    worker.on("message", parts.onMessage);
    worker.on("error", (error) => {
      reason = describe(error);
    });
    worker.once("exit", () => died(reason));
  }

  function died(reason: string): void {
    worker = undefined;
    if (isStopping) return;
    // The first death is followed by a new start at once, the next ones after 1, 2, 4 … 30 s.
    const pauseMs = deaths === 0 ? 0 : Math.min(1000 * 2 ** (deaths - 1), longestPauseMs);
    deaths += 1;
    restart = setTimeout(start, pauseMs, false).unref();
    parts.onDeath(reason);
  }

  start(true);
  return {
    post(message) {
      if (worker !== undefined) send(worker, message);
      return worker !== undefined;
    },
    worked() {
      deaths = 0;
    },
    async stop(limitMs) {
      isStopping = true;
      clearTimeout(restart);
      if (worker === undefined) return;
      const ending = worker;
      const ended = new Promise<void>((resolve) => ending.once("exit", () => resolve()));
      send(ending, { type: "close" });
      if (await within(limitMs, ended)) return;
      // A thread that hangs in the disk cannot even be killed; the end of the program must not wait for it.
      await within(1000, ending.terminate());
      ending.unref();
    },
  };
}

function send(worker: Worker, message: ToWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the rule means windows
  worker.postMessage(message);
}

async function within(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const result = await Promise.race([promise.then(() => true), timeout]);
  clearTimeout(timer);
  return result;
}
