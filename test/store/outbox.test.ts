import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Batch } from "../../src/store/messages.ts";
import type { Outbox } from "../../src/store/outbox.ts";
import { createOutbox } from "../../src/store/outbox.ts";
import type { Queue } from "../../src/store/queue.ts";
import { batchSize, createQueue } from "../../src/store/queue.ts";
import { anExchange } from "./support/rows.ts";

interface Sent {
  number: number;
  rows: number;
  at: number;
}

let sent: Sent[];
let queue: Queue;
let outbox: Outbox;
let hasThread: boolean;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  sent = [];
  hasThread = true;
  queue = createQueue(1000);
  const post = (number: number, batch: Batch): boolean => {
    if (hasThread) sent.push({ number, rows: batchSize(batch), at: Date.now() });
    return hasThread;
  };
  outbox = createOutbox({ queue, post, monotonic: () => Date.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

function save(rows = 1, delayMs = 200): void {
  for (let row = 0; row < rows; row += 1) {
    queue.addExchange(anExchange());
    outbox.queued(delayMs);
  }
}

function lastNumber(): number {
  return sent.at(-1)?.number ?? 0;
}

describe("sending", () => {
  it("waits for the shortest delay asked for and takes everything along", () => {
    save(1, 5000);
    vi.advanceTimersByTime(1000);
    save(2, 200);
    vi.advanceTimersByTime(199);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([{ number: 1, rows: 3, at: 1200 }]);
  });

  it("sends the next batch only when the last is on disk", () => {
    save();
    vi.advanceTimersByTime(200);
    save();
    vi.advanceTimersByTime(10_000);
    expect(sent).toHaveLength(1);
    outbox.written({ number: 1, rejected: 0 });
    vi.advanceTimersByTime(200);
    expect(sent.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it("sends a long queue in parts of 200 rows, one right after the other", () => {
    save(450);
    vi.advanceTimersByTime(200);
    outbox.written({ number: 1, rejected: 0 });
    outbox.written({ number: 2, rejected: 0 });
    expect(sent.map(({ rows }) => rows)).toEqual([200, 200]);
    vi.advanceTimersByTime(200);
    expect(sent.map(({ rows }) => rows)).toEqual([200, 200, 50]);
  });

  it("counts what the database refused", () => {
    save(3);
    vi.advanceTimersByTime(200);
    outbox.written({ number: 1, rejected: 2 });
    expect(outbox.dropped()).toBe(2);
  });
});

describe("a batch that was not written", () => {
  it("is sent again after 1, 2, 4 … at most 30 s, until it is", () => {
    save();
    vi.advanceTimersByTime(200);
    for (let attempt = 0; attempt < 8; attempt += 1) {
      outbox.unwritten({ number: lastNumber(), problem: "full" });
      vi.advanceTimersToNextTimer();
    }
    const pauses = sent.slice(1).map(({ at }, index) => (at - (sent[index]?.at ?? 0)) / 1000);
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    outbox.written({ number: lastNumber(), rejected: 0 });
    expect(outbox.pending()).toBe(0);
    expect(outbox.problem()).toBeUndefined();
  });

  it("is not hurried by new rows, which go along with it", () => {
    save();
    vi.advanceTimersByTime(200);
    outbox.unwritten({ number: 1, problem: "full" });
    save(2);
    outbox.push();
    vi.advanceTimersByTime(900);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(sent.at(-1)?.rows).toBe(3);
  });

  it("that was empty is still asked for again: that is how a full disk is noticed to be free", () => {
    outbox.unwritten({ number: 0, problem: "could not be opened" });
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([{ number: 1, rows: 0, at: 1000 }]);
    outbox.written({ number: 1, rejected: 0 });
    expect(outbox.problem()).toBeUndefined();
  });

  it("is not confused with a batch sent before the opening failed", () => {
    save();
    vi.advanceTimersByTime(200);
    outbox.unwritten({ number: 0, problem: "could not be opened" });
    expect(outbox.pending()).toBe(1);
    outbox.written({ number: 1, rejected: 0 });
    expect(outbox.pending()).toBe(0);
  });
});

describe("a thread that died", () => {
  it("gets its rows again, one by one", () => {
    save(3);
    vi.advanceTimersByTime(200);
    outbox.died();
    outbox.push();
    for (const number of [2, 3, 4]) outbox.written({ number, rejected: 0 });
    expect(sent.map(({ rows }) => rows)).toEqual([3, 1, 1, 1]);
    expect(outbox.pending()).toBe(0);
    expect(outbox.dropped()).toBe(0);
  });

  it("twice over one row alone costs that row and no other", () => {
    save(3);
    vi.advanceTimersByTime(200);
    for (let death = 0; death < 3; death += 1) {
      outbox.died();
      outbox.push();
    }
    expect(outbox.dropped()).toBe(1);
    outbox.written({ number: 4, rejected: 0 });
    outbox.written({ number: 5, rejected: 0 });
    expect(sent.map(({ rows }) => rows)).toEqual([3, 1, 1, 1, 1]);
    expect(outbox.pending()).toBe(0);
  });

  it("while the disk was full does not keep the next one waiting", () => {
    save();
    vi.advanceTimersByTime(200);
    outbox.unwritten({ number: 1, problem: "full" });
    vi.advanceTimersByTime(1000);
    outbox.died();
    outbox.push();
    expect(sent.map(({ rows }) => rows)).toEqual([1, 1, 1]);
  });

  it("keeps rows waiting until there is one again", () => {
    hasThread = false;
    save();
    vi.advanceTimersByTime(200);
    expect(outbox.pending()).toBe(1);
    hasThread = true;
    outbox.push();
    expect(sent).toHaveLength(1);
  });
});

describe("a flush", () => {
  it("ends when the last row is on disk", async () => {
    save(450);
    const flushed = outbox.flush(1000);
    for (const number of [1, 2, 3]) outbox.written({ number, rejected: 0 });
    expect(sent.map(({ rows }) => rows)).toEqual([200, 200, 50]);
    await expect(flushed).resolves.toBe(true);
  });

  it("ends with false when its time is over", async () => {
    save();
    const flushed = outbox.flush(1000);
    vi.advanceTimersByTime(1000);
    await expect(flushed).resolves.toBe(false);
  });

  it("ends with false when everything is given up, which is counted", async () => {
    save(3);
    const flushed = outbox.flush(1000);
    outbox.giveUp();
    await expect(flushed).resolves.toBe(false);
    expect(outbox.dropped()).toBe(3);
    expect(outbox.pending()).toBe(0);
  });
});
