import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchSize, createQueue } from "../../src/store/queue.ts";
import { aLoad, aSample, anEpisode, anExchange, startOfTest } from "./support/rows.ts";

const ids = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

describe("a full queue", () => {
  it("gives up the oldest samples before any exchange", () => {
    const queue = createQueue(4);
    queue.addSample(aSample(1));
    queue.addExchange(anExchange({ id: "a" }));
    queue.addSample(aSample(2));
    queue.addSample(aSample(3));
    queue.addExchange(anExchange({ id: "b" }));
    queue.addExchange(anExchange({ id: "c" }));
    const batch = queue.take(10);
    expect(batch.samples.map(({ takenAt }) => takenAt)).toEqual([3]);
    expect(ids(batch.exchanges)).toEqual(["a", "b", "c"]);
    expect(queue.dropped()).toBe(2);
  });

  it("then gives up the oldest exchanges and keeps the newest", () => {
    const queue = createQueue(2);
    for (const id of ["a", "b", "c", "d"]) queue.addExchange(anExchange({ id }));
    expect(ids(queue.take(10).exchanges)).toEqual(["c", "d"]);
    expect(queue.dropped()).toBe(2);
  });

  it("gives up loads and episodes last, since they are few", () => {
    const queue = createQueue(2);
    queue.addLoad(aLoad({ id: "load" }));
    queue.addEpisode(anEpisode({ id: "episode" }));
    queue.addExchange(anExchange());
    queue.addSample(aSample(1));
    const batch = queue.take(10);
    expect(ids([...batch.loads, ...batch.episodes])).toEqual(["load", "episode"]);
    expect(batchSize(batch)).toBe(2);
    expect(queue.dropped()).toBe(2);
  });

  it("gives up a sample when it holds nothing but exchanges and one more arrives", () => {
    const queue = createQueue(1);
    queue.addExchange(anExchange({ id: "a" }));
    queue.addSample(aSample(1));
    expect(ids(queue.take(10).exchanges)).toEqual(["a"]);
    expect(queue.dropped()).toBe(1);
  });
});

it("keeps one row for an exchange that is saved again, its last version in its old place", () => {
  const queue = createQueue(10);
  queue.addExchange(anExchange({ id: "a", state: { phase: "waiting" } }));
  queue.addExchange(anExchange({ id: "b" }));
  queue.addExchange(anExchange({ id: "a", state: { phase: "cancelled", endedAt: startOfTest } }));
  const batch = queue.take(10);
  expect(ids(batch.exchanges)).toEqual(["a", "b"]);
  expect(batch.exchanges[0]?.state.phase).toBe("cancelled");
});

describe("rows that were not written", () => {
  it("come before what was queued meanwhile", () => {
    const queue = createQueue(10);
    queue.addExchange(anExchange({ id: "a" }));
    queue.addSample(aSample(1));
    const batch = queue.take(10);
    queue.addExchange(anExchange({ id: "b" }));
    queue.addSample(aSample(2));
    queue.putBack(batch);
    const again = queue.take(10);
    expect(ids(again.exchanges)).toEqual(["a", "b"]);
    expect(again.samples.map(({ takenAt }) => takenAt)).toEqual([1, 2]);
  });

  it("do not replace a newer version", () => {
    const queue = createQueue(10);
    queue.addExchange(anExchange({ id: "a", state: { phase: "waiting" } }));
    const batch = queue.take(10);
    queue.addExchange(anExchange({ id: "a" }));
    queue.putBack(batch);
    expect(queue.take(10).exchanges.map(({ state }) => state.phase)).toEqual(["completed"]);
  });
});

it("never holds more than its limit, and everything is either held, taken or counted", () => {
  const action = fc.constantFrom("sample", "exchange", "load", "take", "putBack");
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (actions, limit) => {
      const queue = createQueue(limit);
      let added = 0;
      let out = createQueue(1).take(0);
      let gone = 0;
      for (const [index, kind] of actions.entries()) {
        if (kind === "sample") queue.addSample(aSample(index));
        if (kind === "exchange") queue.addExchange(anExchange());
        if (kind === "load") queue.addLoad(aLoad());
        if (kind === "sample" || kind === "exchange" || kind === "load") added += 1;
        if (kind === "take") {
          gone += batchSize(out);
          out = queue.take(3);
          expect(batchSize(out)).toBeLessThanOrEqual(3);
        }
        if (kind === "putBack") {
          queue.putBack(out);
          out = createQueue(1).take(0);
        }
        expect(queue.size()).toBeLessThanOrEqual(limit);
        expect(queue.size() + queue.dropped() + gone + batchSize(out)).toBe(added);
      }
    }),
  );
});
