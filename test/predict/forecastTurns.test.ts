import { describe, expect, it } from "vitest";

import { createTurnTracker } from "../../src/predict/forecastTurns.ts";

/** Turns six seconds apart, each taking its share half a second after its start; a reading a second. */
function staircase(
  shares: readonly number[],
  untilMs = shares.length * 6000,
): ReturnType<typeof createTurnTracker> {
  const tracker = createTurnTracker();
  let bytes = 1000;
  for (let atMs = 0; atMs < untilMs; atMs += 500) {
    const turn = atMs / 6000;
    if (Number.isInteger(turn) && turn < shares.length) tracker.turnStarted(atMs);
    if ((atMs - 500) % 6000 === 0) bytes -= shares[(atMs - 500) / 6000] ?? 0;
    tracker.headroomSeen(atMs, bytes);
  }
  return tracker;
}

describe("the growth of turns", () => {
  it("is the middle of what turns took, without the first after a load", () => {
    const growth = staircase([300, 40, 38, 42]).growth(23_500);
    expect(growth).toMatchObject({ bytesPerTurn: 40, lowBytes: 38, highBytes: 42, secondsPerTurn: 6 });
  });

  it("counts the running turn once it has taken its share", () => {
    expect(staircase([300, 40, 40], 12_500).growth(12_400)).toBeUndefined();
    expect(staircase([300, 40, 40], 13_000).growth(12_900)).toMatchObject({ bytesPerTurn: 40, turnCount: 2 });
  });

  it("is known from one turn that took what was expected of it", () => {
    const grown = (taken: number, expected?: number) => {
      const tracker = createTurnTracker();
      tracker.headroomSeen(0, 1000);
      tracker.turnStarted(0);
      tracker.headroomSeen(5000, 900);
      tracker.turnStarted(6000, expected);
      tracker.headroomSeen(7000, 900 - taken);
      return tracker.growth(7000);
    };
    expect(grown(40, 38)).toMatchObject({ bytesPerTurn: 40, secondsPerTurn: 6 });
    expect(grown(40)).toBeUndefined();
    expect(grown(40, 100)).toBeUndefined();
  });

  it("is not known from one turn, nor after a long pause, nor after a load", () => {
    expect(staircase([300, 40]).growth(11_500)).toBeUndefined();
    const tracker = staircase([300, 40, 40, 40]);
    expect(tracker.growth(24_000 + 31_000)).toBeUndefined();
    tracker.restart();
    expect(tracker.growth(24_000)).toBeUndefined();
  });
});
