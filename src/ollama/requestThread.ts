import { Worker } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import type { RequestContext } from "./request.ts";
import type { RequestWorkerResult, RequestWorkerTask } from "./requestWorker.ts";

/** A body on its way through the thread. Exactly one answer: facts, or undefined when the thread died over it. */
export interface ThreadBody {
  add(chunk: Uint8Array): void;
  finish(context: RequestContext): void;
  drop(): void;
}

export interface RequestThread {
  open(onAnswer: (facts: RequestFacts | undefined) => void): ThreadBody;
  close(): Promise<void>;
}

const PIECE_BYTES = 64 * 1024;
/** The heap a parsed body may take; JSON of many tiny objects grows tenfold and more. Beyond it the thread dies, not we. */
const HEAP_LIMIT_MB = 512;

/**
 * The one thread that all large bodies share. Started at the first need, again after it died, and ended after
 * `idleMs` without work, because a heap that once held a picture is not given back otherwise.
 */
export function createRequestThread({ workerUrl, idleMs }: { workerUrl: URL; idleMs: number }): RequestThread {
  const waiting = new Map<number, (facts: RequestFacts | undefined) => void>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 1;

  function start(): Worker {
    const started = new Worker(workerUrl, { resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB } });
    started.unref();
    started.on("message", ({ id, facts }: RequestWorkerResult) => settle(id, facts));
    // A dying thread says so by `error` and then `exit`; both may come after a successor was started.
    started.on("error", () => lose(started));
    started.on("exit", () => lose(started));
    return started;
  }

  function lose(lost: Worker): void {
    if (worker !== lost) return;
    worker = undefined;
    for (const id of [...waiting.keys()]) settle(id, undefined);
  }

  function settle(id: number, facts: RequestFacts | undefined): void {
    const answer = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) rest();
    answer?.(facts);
  }

  function rest(): void {
    clearTimeout(idle);
    idle = setTimeout(() => void stop(), idleMs).unref();
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const stopping = worker;
    worker = undefined;
    await stopping?.terminate();
  }

  return {
    open(onAnswer) {
      clearTimeout(idle);
      worker ??= start();
      const home = worker;
      const id = nextId;
      nextId += 1;
      waiting.set(id, onAnswer);
      // What is meant for a thread that died must not reach its successor, which lacks the beginning.
      const post = (task: RequestWorkerTask, transfer: ArrayBuffer[] = []): void => {
        if (worker === home && waiting.has(id)) home.postMessage(task, transfer);
      };
      return {
        add(chunk) {
          for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
            const piece = new Uint8Array(chunk.subarray(start, start + PIECE_BYTES));
            post({ id, piece }, [piece.buffer]);
          }
        },
        finish: (context) => post({ id, context }),
        drop() {
          post({ id, drop: true });
          waiting.delete(id);
          if (waiting.size === 0) rest();
        },
      };
    },
    async close() {
      for (const id of [...waiting.keys()]) settle(id, undefined);
      await stop();
    },
  };
}
