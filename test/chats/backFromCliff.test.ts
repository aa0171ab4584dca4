/** A chat past its cliff that goes on with a larger window has all of its turns again, and another cliff ahead. */
import { describe, expect, it } from "vitest";
import { madeUpChat } from "./madeUpChat.ts";
import { playChat } from "./playChat.ts";

const TURNS = 24;
const WIDER_FROM = 14;

function played(later?: { turn: number; contextLength: number }) {
  const made = madeUpChat({
    contextLength: 2048,
    ...(later !== undefined && { later }),
    questions: Array.from({ length: TURNS }, () => 120),
    answers: Array.from({ length: TURNS }, () => 100),
  });
  return { ...made, turns: playChat(made.chat).turns.map(({ conversation }) => conversation) };
}

describe("a chat over its cliff", () => {
  it("has no turn left while its window stays", () => {
    const { turns, cliffTurn = 0 } = played();
    expect(cliffTurn).toBeGreaterThan(5);
    expect(cliffTurn).toBeLessThan(WIDER_FROM);
    for (const { cliff, turnsLeft } of turns.slice(cliffTurn - 1)) {
      expect(cliff?.state).toBe("reached");
      expect(turnsLeft?.window?.predicted).toBe(0);
    }
  });

  it("has turns left, and no cliff, from the turn whose window holds all of it", () => {
    const { turns } = played({ turn: WIDER_FROM, contextLength: 16_384 });
    expect(turns[WIDER_FROM - 2]?.cliff?.state).toBe("reached");
    for (const { cliff, turnsLeft } of turns.slice(WIDER_FROM - 1)) {
      expect(cliff).toBeUndefined();
      expect(turnsLeft?.window?.predicted).toBeGreaterThan(40);
    }
    // What befell it stays on record.
    expect(turns.at(-1)?.notices.map(({ kind }) => kind)).toContain("cliff");
  });

  it("is told of the next one, and goes over that too", () => {
    const { turns } = played({ turn: WIDER_FROM, contextLength: 4096 });
    const states = turns.slice(WIDER_FROM - 1).map(({ cliff }) => cliff?.state);
    expect(states).toContain("ahead");
    expect(states.at(-1)).toBe("reached");
  });

  it("is still over it where the larger window is too small as well", () => {
    const { turns } = played({ turn: 20, contextLength: 2500 });
    expect(turns[19]?.cliff?.state).toBe("reached");
    expect(turns[19]?.turnsLeft?.window?.predicted).toBe(0);
  });
});
