import { describe, expect, it } from "vitest";
import { isNotable, queuedMs } from "../../src/chats/queue.ts";
import { createQueueWatch } from "../../src/chats/queueWatch.ts";
import type { Exchange } from "../../src/types.ts";
import { playScenario } from "./playCaptures.ts";

const [first, second, third] = playScenario("v0.24", "20-concurrent-parallel1");

function exchange(id: string, more: Partial<Exchange> = {}): Exchange {
  return { ...(first as Exchange), id, ...more };
}

describe("three streams of one model with one slot, sent at once", () => {
  const usualRestMs = 15;
  const waited = [first, second, third].map((one, index) =>
    queuedMs({ exchange: one as Exchange, behindOthers: index > 0, usualRestMs }),
  );

  it("wait for each other's whole answers", () => {
    const [none = 0, one = 0, two = 0] = waited;
    const answerMs = (first?.usage?.prefillMs ?? 0) + (first?.usage?.decodeMs ?? 0);
    expect(none).toBe(0);
    expect(Math.abs(one / answerMs - 1)).toBeLessThan(0.2);
    expect(Math.abs(two / (2 * answerMs) - 1)).toBeLessThan(0.2);
    expect([isNotable(none), isNotable(one), isNotable(two)]).toEqual([false, true, true]);
  });
});

describe("a dialect without durations", () => {
  const { usage: _, ...bare } = exchange("later", { startedAt: 1000 });

  it("waited until a slot was free", () => {
    expect(queuedMs({ exchange: bare, behindOthers: true, slotFreeAt: 4000, usualRestMs: 0 })).toBe(3000);
  });

  it("tells nothing where nobody knows when that was", () => {
    expect(queuedMs({ exchange: bare, behindOthers: true, usualRestMs: 0 })).toBeUndefined();
  });
});

describe("who stands in front", () => {
  const ended = (id: string, endedAt: number) => exchange(id, { state: { phase: "completed", endedAt } });

  it("is whoever was there before, as far as they are more than the slots", () => {
    const queue = createQueueWatch();
    queue.began(exchange("a"), { ahead: [], slots: 2 });
    queue.began(exchange("b"), { ahead: [exchange("a")], slots: 2 });
    queue.began(exchange("c"), { ahead: [exchange("a"), exchange("b")], slots: 2 });
    expect(queue.ended(ended("b", 500))).toEqual({ behindOthers: false, slotFreeAt: undefined });
    expect(queue.ended(ended("a", 900))).toMatchObject({ behindOthers: false });
    expect(queue.ended(ended("c", 1500))).toEqual({ behindOthers: true, slotFreeAt: 500 });
  });
});
