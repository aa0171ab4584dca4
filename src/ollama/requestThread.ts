import { Worker } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import type { RequestContext } from "./request.ts";
import type { RequestAnswer, RequestTask } from "./requestWorker.ts";

/** Told exactly once: the facts, or undefined when the thread died before it had any. */
type OnAnswer = (facts: RequestFacts | undefined) => void;

export interface RequestThread {
  /** Hands a body over; the memory of `pieces` goes with it. */
  read(pieces: Uint8Array<ArrayBuffer>[], context: RequestContext, onAnswer: OnAnswer): void;
  close(): Promise<void>;
}

/** The heap a parsed body may take: JSON of many tiny objects grows tenfold. Beyond it the thread dies, not we. */
const HEAP_LIMIT_MB = 512;

/**
 * The one thread that all large bodies share. Started at the first need, again after it died, and ended after `idleMs`
 * without work, because a heap that once held a picture is not given back otherwise.
 */
export function createRequestThread({
  workerUrl,
  idleMs,
}: {
  workerUrl: URL;
  idleMs: number;
}): RequestThread {
  const waiting = new Map<number, OnAnswer>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let nextId = 1;

  function start(): Worker {
    const started = new Worker(workerUrl, { resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MB } });
    started.unref();
    started.on("message", ({ id, facts }: RequestAnswer) => {
      const answer = waiting.get(id);
      waiting.delete(id);
      rest();
      answer?.(facts);
    });
    // A dying thread says `error`, then `exit`; its successor may have started in between.
    started.on("error", () => lose(started));
    started.on("exit", () => lose(started));
    return started;
  }

  function lose(lost: Worker): void {
    if (worker === lost) {
      worker = undefined;
      giveUpAll();
    }
  }

  function giveUpAll(): void {
    const answers = [...waiting.values()];
    waiting.clear();
    for (const answer of answers) {
      answer(undefined);
    }
  }

  function rest(): void {
    clearTimeout(idle);
    if (waiting.size === 0) {
      idle = setTimeout(() => void stop(), idleMs).unref();
    }
  }

  async function stop(): Promise<void> {
    clearTimeout(idle);
    const stopping = worker;
    worker = undefined;
    await stopping?.terminate();
  }

  return {
    read(pieces, context, onAnswer) {
      clearTimeout(idle);
      try {
        worker ??= start();
      } catch {
        // The system refuses another thread: this body stays unread, its exchange goes on.
        onAnswer(undefined);
        return;
      }
      const id = nextId;
      nextId += 1;
      waiting.set(id, onAnswer);
      const task: RequestTask = { id, pieces, context };
      worker.postMessage(
        task,
        pieces.map((piece) => piece.buffer),
      );
    },
    async close() {
      giveUpAll();
      await stop();
    },
  };
}
