import fc from "fast-check";
import { expect, it } from "vitest";
import { createRandom } from "../../bench/report/random.ts";

it("repeats itself for the same seed and not for another", () => {
  const draw = (seed: number): number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, random.next);
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it("shuffles without losing, adding or changing anything", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.array(fc.integer()), (seed, items) => {
      const before = [...items];
      const shuffled = createRandom(seed).shuffle(items);
      expect(items).toEqual(before);
      expect(shuffled.toSorted()).toEqual(items.toSorted());
    }),
  );
});

it("puts every item in every place about equally often", () => {
  const random = createRandom(1);
  const firsts = new Map<string, number>();
  for (let turn = 0; turn < 3000; turn += 1) {
    const [first = ""] = random.shuffle(["a", "b", "c"]);
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  for (const item of ["a", "b", "c"]) {
    expect(firsts.get(item)).toBeGreaterThan(900);
    expect(firsts.get(item)).toBeLessThan(1100);
  }
});
