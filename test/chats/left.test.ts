import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { turnsLeft } from "../../src/chats/left.ts";

const MIB = 2 ** 20;
const window = { predicted: 10, low: 8, high: 12 };

describe("what ends first", () => {
  it("is the window where each turn adds next to nothing", () => {
    const left = turnsLeft({ window, headroomBytes: 4096 * MIB, bytesPerTurn: MIB });
    expect(left.endsFirst).toBe("window");
  });

  it("is memory where it does not last so long", () => {
    const left = turnsLeft({ window, headroomBytes: 40 * MIB, bytesPerTurn: 10 * MIB });
    expect(left).toMatchObject({ endsFirst: "memory", turnsLeft: { memory: { predicted: 4 } } });
  });

  it("counts the turns past the cliff at what they cost there", () => {
    const left = turnsLeft({
      window,
      headroomBytes: 1000 * MIB,
      bytesPerTurn: 0,
      bytesPerTurnAfter: 250 * MIB,
    });
    expect(left).toMatchObject({ endsFirst: "window", turnsLeft: { memory: { predicted: 14 } } });
  });

  it("is never memory once the copies that may be kept fit into it", () => {
    const left = turnsLeft({
      window: { predicted: 0, low: 0, high: 0 },
      headroomBytes: 9000 * MIB,
      bytesPerTurnAfter: 250 * MIB,
      promptCacheLeftBytes: 8000 * MIB,
    });
    expect(left.turnsLeft?.memory).toBeUndefined();
  });

  it("is not told while nothing is known", () => {
    expect(turnsLeft({})).toEqual({});
  });

  it("a range surrounds what is predicted, and no headroom leaves no turn", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -100, max: 1e5, noNaN: true }),
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        (headroom, perTurn) => {
          const left = turnsLeft({
            window,
            headroomBytes: headroom * MIB,
            bytesPerTurn: MIB,
            bytesPerTurnAfter: perTurn * MIB,
          });
          const memory = left.turnsLeft?.memory;
          if (memory !== undefined) {
            expect(memory.low ?? 0).toBeLessThanOrEqual(memory.predicted);
            expect(memory.high ?? Infinity).toBeGreaterThanOrEqual(memory.predicted);
          }
          if (headroom <= 0) {
            expect(memory?.predicted).toBe(0);
          }
        },
      ),
    );
  });
});
