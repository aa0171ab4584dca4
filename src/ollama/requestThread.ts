/** The main thread's side of reading large bodies: what was sent, and who waits for it. */
import { Worker } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import type { RequestContext } from "./request.ts";
import type { RequestAnswer, RequestPart } from "./requestWorker.ts";

/** One body that goes to the thread part by part. The memory of each piece goes with it. */
export interface ThreadBody {
  add(pieces: RequestPart["pieces"]): void;
  /** It is whole: now it is read. */
  finish(context: RequestContext): void;
  /** It is given up, and nothing is told. Without effect after `finish()`. */
  drop(): void;
}

export interface RequestThread {
  /** `onAnswer` is called exactly once after `finish()`: with the facts, or undefined when the thread died before. */
  open(onAnswer: (facts: RequestFacts | undefined) => void): ThreadBody;
  close(): Promise<void>;
}

interface Waiting {
  onAnswer(facts: RequestFacts | undefined): void;
  finished: boolean;
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
  const waiting = new Map<number, Waiting>();
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
      answer?.onAnswer(facts);
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
    const lost = [...waiting.values()];
    waiting.clear();
    for (const { finished, onAnswer } of lost) {
      if (finished) {
        onAnswer(undefined);
      }
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
    open(onAnswer) {
      clearTimeout(idle);
      const id = nextId;
      nextId += 1;
      let thread: Worker | undefined;
      try {
        worker ??= start();
        thread = worker;
        waiting.set(id, { onAnswer, finished: false });
      } catch {
        // The system refuses another thread: this body stays unread, its exchange goes on.
      }
      const send = (part: RequestPart): void =>
        thread?.postMessage(
          part,
          part.pieces.map((piece) => piece.buffer),
        );
      return {
        add(pieces) {
          if (waiting.has(id)) {
            send({ id, pieces });
          }
        },
        finish(context) {
          const entry = waiting.get(id);
          if (entry === undefined) {
            onAnswer(undefined);
            return;
          }
          entry.finished = true;
          send({ id, pieces: [], context });
        },
        drop() {
          if (waiting.get(id)?.finished === false) {
            waiting.delete(id);
            send({ id, pieces: [], dropped: true });
            rest();
          }
        },
      };
    },
    async close() {
      giveUpAll();
      await stop();
    },
  };
}
