import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cachedTokens } from "../../src/chats/occupancy.ts";

const law = { perToken: 5, perPair: 0.001 };
const msOf = ({ uncachedTokens, cachedTokens: held }: { uncachedTokens: number; cachedTokens: number }) =>
  law.perToken * uncachedTokens + law.perPair * uncachedTokens * (held + uncachedTokens / 2);

describe("what was cached of a prompt", () => {
  it("is what the runner held, when the time says so", () => {
    const prefillMs = 1.2 * msOf({ uncachedTokens: 82, cachedTokens: 1526 });
    expect(cachedTokens({ inputTokens: 1608, prefillMs, heldTokens: 1526, msOf })).toBe(1526);
  });

  it("is nothing, when it took as long as all of it", () => {
    const prefillMs = 0.9 * msOf({ uncachedTokens: 1608, cachedTokens: 0 });
    expect(cachedTokens({ inputTokens: 1608, prefillMs, heldTokens: 1526, msOf })).toBe(0);
  });

  it("is not known before the model's speed is", () => {
    expect(
      cachedTokens({ inputTokens: 9, prefillMs: 1, heldTokens: 0, msOf: () => undefined }),
    ).toBeUndefined();
  });

  it("is found from the time alone where nothing was thought to be held", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 600, max: 20_000 }),
        fc.double({ min: 0.2, max: 0.95, noNaN: true }),
        (inputTokens, share) => {
          const cached = Math.floor(inputTokens * share);
          const prefillMs = msOf({ uncachedTokens: inputTokens - cached, cachedTokens: cached });
          fc.pre(prefillMs < msOf({ uncachedTokens: inputTokens, cachedTokens: 0 }) / 1.6);
          const found = cachedTokens({ inputTokens, prefillMs, heldTokens: 0, msOf }) ?? 0;
          expect(Math.abs(found - cached)).toBeLessThan(3);
        },
      ),
    );
  });

  it("is never all of it: the answer's first token comes out of the last one", () => {
    expect(cachedTokens({ inputTokens: 466, prefillMs: 0.01, heldTokens: 500, msOf })).toBeLessThan(466);
  });
});

describe("on a machine that is busy with other things", () => {
  const held = { inputTokens: 1178, heldTokens: 593, surelyHeld: true, msOf };
  const asHeld = msOf({ uncachedTokens: 585, cachedTokens: 593 });

  it("a chat that was last had its turn before, however long the prompt took", () => {
    expect(cachedTokens({ ...held, prefillMs: 2.2 * asHeld })).toBe(593);
    expect(cachedTokens({ ...held, surelyHeld: false, prefillMs: 2.2 * asHeld })).toBe(0);
  });

  it("unless the time of the whole prompt is far from it", () => {
    const long = { ...held, inputTokens: 8000, heldTokens: 7500 };
    const prefillMs = msOf({ uncachedTokens: 8000, cachedTokens: 0 });
    expect(cachedTokens({ ...long, prefillMs })).toBe(0);
  });
});
