import type { Batch } from "./messages.ts";
import type { Queue } from "./queue.ts";
import { batchSize } from "./queue.ts";

/** Sends what is queued, one batch at a time, and sends it again when it was not written. */
export interface Outbox {
  /** A row was queued that must be sent within `delayMs`. */
  queued(delayMs: number): void;
  /** Sends now what is queued, unless a batch is on its way. */
  push(): void;
  /** The worker's reply to the batch on its way: written but for `rejected` rows, or why it was not. */
  written(rejected: number): void;
  unwritten(problem: string): void;
  /** The thread died with the batch on its way. */
  died(): void;
  /** Nothing can be written any more: everything is given up and counted. */
  giveUp(): void;
  flush(timeoutMs: number): Promise<boolean>;
  pending(): number;
  dropped(): number;
  /** How long the batch on its way has been waiting for the worker. */
  waitingMs(): number | undefined;
  problem(): string | undefined;
}

interface OutboxParts {
  queue: Queue;
  /** False when there is no thread to send it to. */
  post: (batch: Batch) => boolean;
  monotonic: () => number;
}

/** Copying a row to the thread takes microseconds of the thread that also forwards tokens: a long queue goes in parts. */
const mostRowsInBatch = 200;

/** Between batches while more arrives: a transaction costs a wait for the disk, however few rows it holds. */
const pauseMs = 200;

const longestRetryMs = 30_000;

/** A batch that was on its way at so many deaths of the thread is what it dies of. */
const mostDeathsOfBatch = 3;

export function createOutbox({ queue, post, monotonic }: OutboxParts): Outbox {
  let onItsWay: { batch: Batch; sentAt: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let failures = 0;
  let deathsOfBatch = 0;
  let problem: string | undefined;
  let droppedRows = 0;
  let flushers: ((isEmpty: boolean) => void)[] = [];

  function schedule(delayMs: number): void {
    const at = monotonic() + delayMs;
    if (at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(push, delayMs).unref();
  }

  function push(): void {
    clearTimeout(timer);
    dueAt = Infinity;
    if (onItsWay !== undefined) return;
    // An empty batch is how a disk that was full is asked whether it still is.
    if (queue.size() === 0 && problem === undefined) return endFlush(true);
    const batch = queue.take(mostRowsInBatch);
    onItsWay = { batch, sentAt: monotonic() };
    if (!post(batch)) takeBack();
  }

  function takeBack(): void {
    if (onItsWay !== undefined) queue.putBack(onItsWay.batch);
    onItsWay = undefined;
  }

  function endFlush(isEmpty: boolean): void {
    const ended = flushers;
    flushers = [];
    for (const end of ended) end(isEmpty);
  }

  return {
    queued(delayMs) {
      if (onItsWay === undefined && problem === undefined) schedule(delayMs);
    },
    push,
    written(rejected) {
      droppedRows += rejected;
      onItsWay = undefined;
      problem = undefined;
      failures = 0;
      deathsOfBatch = 0;
      const isFull = queue.size() >= mostRowsInBatch;
      if (isFull || flushers.length > 0) push();
      else if (queue.size() > 0) schedule(pauseMs);
    },
    unwritten(reason) {
      takeBack();
      problem = reason;
      schedule(Math.min(1000 * 2 ** failures, longestRetryMs));
      failures += 1;
    },
    died() {
      if (onItsWay === undefined) return;
      deathsOfBatch += 1;
      if (deathsOfBatch < mostDeathsOfBatch) return takeBack();
      droppedRows += batchSize(onItsWay.batch);
      onItsWay = undefined;
      deathsOfBatch = 0;
    },
    giveUp() {
      takeBack();
      queue.clear();
      clearTimeout(timer);
      endFlush(false);
    },
    flush(timeoutMs) {
      if (queue.size() === 0 && onItsWay === undefined && problem === undefined) return Promise.resolve(true);
      return new Promise((resolve) => {
        const limit = setTimeout(() => {
          flushers = flushers.filter((end) => end !== finish);
          resolve(false);
        }, timeoutMs);
        const finish = (isEmpty: boolean): void => {
          clearTimeout(limit);
          resolve(isEmpty);
        };
        flushers.push(finish);
        push();
      });
    },
    pending: () => queue.size() + (onItsWay === undefined ? 0 : batchSize(onItsWay.batch)),
    dropped: () => queue.dropped() + droppedRows,
    waitingMs: () => (onItsWay === undefined ? undefined : monotonic() - onItsWay.sentAt),
    problem: () => problem,
  };
}
