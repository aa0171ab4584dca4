import { describe, expect, it } from "vitest";
import { createClueIndex } from "../../src/chats/clueIndex.ts";
import type { KnownTurn } from "../../src/chats/knownTurns.ts";

function turnOf(client: string, exchangeId: string, clues: Partial<KnownTurn> = {}): KnownTurn {
  return {
    exchangeId,
    conversation: { id: `conversation of ${exchangeId}`, client, lastAt: 0, turns: [] },
    turn: 1,
    startedAt: 0,
    state: "completed",
    childCount: 0,
    messageCount: 1,
    systemLength: 0,
    ...clues,
  };
}

describe("the index of clues", () => {
  it("finds a client's turns and nobody else's, the latest last", () => {
    const index = createClueIndex();
    const [first, stranger, second] = [
      turnOf("one", "a", { chain: "x" }),
      turnOf("other", "b", { chain: "x" }),
      turnOf("one", "c", { chain: "x" }),
    ];
    [first, stranger, second].forEach(index.enter);
    expect(index.find("one", "chain", "x")).toEqual([first, second]);
    expect(index.find("other", "chain", "x")).toEqual([stranger]);
    expect(index.find("third", "chain", "x")).toEqual([]);
    expect(index.find("one", "answer", "x")).toEqual([]);
    expect(index.find("one", "chain", undefined)).toEqual([]);
  });

  it("forgets what left, and follows a clue that changes", () => {
    const index = createClueIndex();
    const [first, second] = [
      turnOf("one", "a", { chain: "x", pair: "p" }),
      turnOf("one", "b", { chain: "x" }),
    ];
    [first, second].forEach(index.enter);
    index.change(second, "chain", "y");
    index.leave(first);
    expect(index.find("one", "chain", "x")).toEqual([]);
    expect(index.find("one", "pair", "p")).toEqual([]);
    expect(index.find("one", "chain", "y")).toEqual([second]);
  });

  it("keeps the latest 64 of a client, whatever others send", () => {
    const index = createClueIndex();
    const early = turnOf("patient", "early", { lastUser: "hi" });
    index.enter(early);
    const turns = Array.from({ length: 100 }, (_, at) => turnOf("busy", `${at}`, { lastUser: "hi" }));
    turns.forEach(index.enter);
    expect(index.find("busy", "lastUser", "hi")).toEqual(turns.slice(-64));
    expect(index.find("patient", "lastUser", "hi")).toEqual([early]);
  });
});
