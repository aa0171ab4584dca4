import { describe, expect, it } from "vitest";

import { plannedBytes } from "../../src/predict/graphAllocator.ts";
import { createGraph, input, overwriting, result, store, view } from "../../src/predict/graphBuilder.ts";

/** The peak of a graph that ends in these tensors. */
function peakOf(...ends: ReturnType<typeof result>[]): number {
  const graph = createGraph();
  for (const end of ends) graph.expand(end);
  return plannedBytes(graph.order, 1);
}

describe("memory of a graph", () => {
  it("is shared by tensors that do not live at the same time", () => {
    const first = result(100, input(10));
    const second = result(100, first);
    const third = result(100, second);
    // The third lies where the input and the first one were.
    expect(peakOf(third)).toBe(10 + 100 + 100);
  });

  it("is kept for a tensor until its last reader has run", () => {
    const kept = result(100);
    const between = result(30, result(50, kept));
    expect(peakOf(result(1, kept, between))).toBe(100 + 50 + 30);
  });

  it("is taken over by an operation that writes over its input", () => {
    const source = result(100);
    expect(peakOf(overwriting(100, source))).toBe(100);
    expect(peakOf(result(100, result(100)))).toBe(200);
  });

  it("is not taken over while somebody else reads it, from behind a view, or in another size", () => {
    const shared = result(100);
    expect(peakOf(overwriting(100, shared), result(1, shared))).toBe(201);
    expect(peakOf(overwriting(100, view(result(100))))).toBe(200);
    expect(peakOf(overwriting(60, result(100)))).toBe(160);
  });

  it("lives as long as any view of it", () => {
    const whole = result(100);
    const part = view(whole, 40);
    const later = result(50, result(50));
    expect(peakOf(later, result(1, part))).toBe(100 + 50 + 50);
  });

  it("takes the smallest gap it fits into", () => {
    const [large, small, apart, after] = [result(50), result(20), result(1), result(1)];
    const [later, last] = [result(20), result(50)];
    const ends = [large, apart, small, after, store(large), store(small), later, last];
    expect(peakOf(...ends, store(apart, after, later, last))).toBe(50 + 1 + 20 + 1);
  });

  it("makes one gap of two beside each other", () => {
    const [left, right, after, last] = [result(40), result(60), result(1), result(100)];
    expect(peakOf(left, right, after, store(left), store(right), last, store(after, last))).toBe(101);
  });

  it("is rounded up to the alignment, tensor by tensor", () => {
    const graph = createGraph();
    graph.expand(result(1, result(1)));
    expect(plannedBytes(graph.order, 64)).toBe(128);
  });
});
