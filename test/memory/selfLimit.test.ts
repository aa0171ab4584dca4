import { expect, it } from "vitest";

import { createSelfLimit } from "../../src/memory/selfLimit.ts";

function spend(limit: ReturnType<typeof createSelfLimit>, fromMs: number, perReadingMs: number): number {
  for (let atMs = fromMs; atMs <= fromMs + 60_000; atMs += 1000) limit.add(perReadingMs, atMs);
  return fromMs + 61_000;
}

it("slows down after a minute over 1 % of a core, and only then", () => {
  const limit = createSelfLimit();
  const next = spend(limit, 0, 9);
  expect(limit.slowed()).toBe(false);
  for (let atMs = next; atMs < next + 30_000; atMs += 1000) limit.add(40, atMs);
  expect(limit.slowed()).toBe(false);
  spend(limit, next + 30_000, 40);
  expect(limit.slowed()).toBe(true);
});

it("speeds up again only when full speed would be cheap too", () => {
  const limit = createSelfLimit();
  let next = spend(limit, 0, 20);
  expect(limit.slowed()).toBe(true);
  next = spend(limit, next, 8);
  expect(limit.slowed()).toBe(true);
  spend(limit, next, 1);
  expect(limit.slowed()).toBe(false);
});
