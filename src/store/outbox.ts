import type { Batch } from "./messages.ts";
import type { Queue } from "./queue.ts";
import { batchSize } from "./queue.ts";

/** Sends what is queued, one batch at a time, and sends it again when it was not written. */
export interface Outbox {
  /** A row was queued that must be sent within `delayMs`. */
  queued(delayMs: number): void;
  /** Sends now what is queued, unless a batch is on its way or waits to be tried again. */
  push(): void;
  /** The worker's reply to a batch: it is on disk but for `rejected` rows. */
  written(reply: { number: number; rejected: number }): void;
  /** The worker's reply to a batch: why it is not on disk. Number 0: why the database could not be opened. */
  unwritten(reply: { number: number; problem: string }): void;
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
  /** False when there is no thread to send it to. Throws when a row cannot be copied to another thread. */
  post: (number: number, batch: Batch) => boolean;
  monotonic: () => number;
}

/** Copying a row to the thread takes microseconds of the thread that also forwards tokens: a long queue goes in parts. */
const mostRowsInBatch = 200;

/** Between batches while more arrives: a transaction costs a wait for the disk, however few rows it holds. */
const pauseMs = 200;

const longestRetryMs = 30_000;

/** A row that was alone on its way at so many deaths of the thread is what it dies of. */
const mostDeathsOfRow = 2;

/**
 * Timers of its own, which keep no process alive. A batch that fails goes back to the queue and is tried after 1, 2, 4
 * … 30 s.
 */
export function createOutbox({ queue, post, monotonic }: OutboxParts): Outbox {
  let onItsWay: { number: number; batch: Batch; sentAt: number } | undefined;
  let lastNumber = 0;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Infinity;
  let failures = 0;
  /** After trouble so many rows are sent one by one, so that the cause is found and takes no other with it. */
  let rowsToSendAlone = 0;
  let deathsOfRow = 0;
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
    const batch = queue.take(rowsToSendAlone > 0 ? 1 : mostRowsInBatch);
    lastNumber += 1;
    onItsWay = { number: lastNumber, batch, sentAt: monotonic() };
    try {
      if (!post(lastNumber, batch)) takeBack();
    } catch {
      giveUpUncopyable(batch);
    }
  }

  /** A row that holds a function, say, must cost neither the others nor, as an error in a timer would, the program. */
  function giveUpUncopyable(batch: Batch): void {
    rowsToSendAlone = mostRowsInBatch;
    if (batchSize(batch) > 1) takeBack();
    else droppedRows += 1;
    onItsWay = undefined;
    schedule(0);
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
    push() {
      if (problem === undefined) push();
    },
    written({ number, rejected }) {
      if (onItsWay?.number !== number) return;
      droppedRows += rejected;
      onItsWay = undefined;
      problem = undefined;
      failures = 0;
      deathsOfRow = 0;
      rowsToSendAlone = Math.max(rowsToSendAlone - 1, 0);
      const isBehind = rowsToSendAlone > 0 || queue.size() >= mostRowsInBatch;
      if (isBehind || flushers.length > 0) push();
      else if (queue.size() > 0) schedule(pauseMs);
    },
    unwritten(reply) {
      // A batch sent before the opening failed gets a reply of its own.
      if ((onItsWay?.number ?? 0) !== reply.number) return;
      takeBack();
      problem = reply.problem;
      schedule(Math.min(1000 * 2 ** failures, longestRetryMs));
      failures += 1;
    },
    died() {
      // The next thread will find out for itself how the disk is.
      problem = undefined;
      if (onItsWay === undefined) return;
      rowsToSendAlone = mostRowsInBatch;
      if (batchSize(onItsWay.batch) === 1) deathsOfRow += 1;
      if (deathsOfRow < mostDeathsOfRow) return takeBack();
      droppedRows += 1;
      deathsOfRow = 0;
      onItsWay = undefined;
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
