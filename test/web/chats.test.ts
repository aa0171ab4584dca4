import { describe, expect, it } from "vitest";
import { cliffWords, decayWords, turnsLeft, turnsLeftWords, turnsOf } from "../../web/chats.ts";
import { aConversation, anExchange } from "./support.ts";

const turn = (number: number, rate?: number) =>
  anExchange({
    id: `turn-${number}`,
    turn: number,
    conversationId: "chat-1",
    usage: rate === undefined ? undefined : { outputTokens: rate, decodeMs: 1000, provenance: "measured" },
  });

describe("the turns of a chat", () => {
  it("are those that the server sent, else those among the exchanges that are known", () => {
    const known = [turn(2), anExchange({ id: "other" }), turn(1)];
    expect(turnsOf(aConversation(), known).map(({ id }) => id)).toEqual(["turn-1", "turn-2"]);
    expect(turnsOf(aConversation({ turns: [turn(7)] }), known).map(({ id }) => id)).toEqual(["turn-7"]);
  });
});

describe("turns left", () => {
  const window = { predicted: 9 };
  const memory = { predicted: 3 };

  it("are counted to the limit that is reached first", () => {
    expect(turnsLeft(aConversation({ turnsLeft: { window, memory } }))).toEqual({
      turns: memory,
      by: "memory",
    });
    expect(turnsLeft(aConversation({ turnsLeft: { window } }))).toEqual({ turns: window, by: "window" });
    expect(turnsLeft(aConversation({ turnsLeft: { window, memory }, endsFirst: "window" }))?.by).toBe(
      "window",
    );
    expect(turnsLeft(aConversation())).toBeUndefined();
  });

  it("are a range where they are not known better", () => {
    expect(turnsLeftWords({ predicted: 3 })).toBe("3 turns left");
    expect(turnsLeftWords({ predicted: 1, low: 0.6, high: 1.4 })).toBe("0–2 turns left");
    expect(turnsLeftWords({ predicted: 6, low: 4, high: 9 })).toBe("4–9 turns left");
    expect(turnsLeftWords({ predicted: 0 })).toBe("0 turns left");
  });
});

describe("what a chat costs", () => {
  it("is how much slower it has become", () => {
    expect(decayWords([turn(1, 12), turn(2), turn(3, 8)])).toBe("12.0 → 8.0 tok/s");
    expect(decayWords([turn(1, 12)])).toBe("12.0 tok/s");
    expect(decayWords([turn(1)])).toBeUndefined();
  });

  it("is told before and after the cliff", () => {
    const cliff = { state: "ahead", atTurn: { predicted: 17 }, remedies: [] } as const;
    expect(cliffWords(aConversation({ cliff: { ...cliff, remedies: [] } }))).toBe("cliff ahead at turn 17");
    const reached = {
      state: "reached" as const,
      atTurn: { predicted: 17, actual: 18 },
      prefillMs: { predicted: 50_000 },
      remedies: [],
    };
    expect(cliffWords(aConversation({ cliff: reached }))).toBe(
      "over the cliff since turn 18: 50.0 s of prefill a turn",
    );
    expect(cliffWords(aConversation())).toBeUndefined();
  });
});
