import { describe, expect, it } from "vitest";
import { createConversationBook } from "../../src/chats/conversationBook.ts";
import type { Conversation, Exchange } from "../../src/types.ts";
import { asked } from "./people.ts";

function aBook(limit?: number) {
  const saved: Conversation[] = [];
  const book = createConversationBook({ save: (conversation) => saved.push(conversation), limit });
  function turn(fields: Partial<Exchange>): void {
    const exchange: Exchange = {
      ...asked({}).exchange,
      conversationId: "c",
      turn: 1,
      purpose: "chat",
      ...fields,
    };
    book.observer.onRequest?.(exchange, {});
    exchange.state = { phase: "completed", endedAt: exchange.startedAt + 5 };
    book.observer.onEnd?.(exchange);
  }
  return { book, saved, turn };
}

describe("createConversationBook", () => {
  it("counts turns and branches, and keeps what its exchanges say", () => {
    const { book, turn, saved } = aBook();
    turn({ startedAt: 10, client: { name: "curl" } });
    turn({ startedAt: 20, turn: 2, contextLength: 4096, contextTokensUsed: 50 });
    turn({ startedAt: 30, turn: 2, branchOf: "e1", notices: [{ kind: "truncated", tokensLost: 7 }] });
    expect(book.find("c")).toEqual({
      id: "c",
      model: "m",
      client: "curl",
      purpose: "chat",
      startedAt: 10,
      lastAt: 35,
      turnCount: 2,
      branchCount: 1,
      contextLength: 4096,
      contextTokensUsed: 50,
      notices: [{ kind: "truncated", tokensLost: 7, atTurn: 2 }],
    });
    expect(saved.at(-1)).toEqual(book.find("c"));
  });

  it("lets others tell more, but not that it began later or was shorter", () => {
    const { book, turn } = aBook();
    book.restore([
      {
        id: "c",
        startedAt: 1,
        lastAt: 2,
        turnCount: 9,
        branchCount: 2,
        notices: [{ kind: "cliff", atTurn: 8 }, { kind: "cliff-ahead" }],
      },
    ]);
    book.changed({
      id: "c",
      startedAt: 50,
      lastAt: 60,
      turnCount: 1,
      notices: [{ kind: "truncated" }],
      tokensLeft: 5,
    });
    turn({ startedAt: 70, turn: 10, notices: [{ kind: "queued" }] });
    expect(book.find("c")).toMatchObject({
      startedAt: 1,
      lastAt: 75,
      turnCount: 10,
      branchCount: 2,
      tokensLeft: 5,
    });
    expect(book.find("c")?.notices.map(({ kind }) => kind)).toEqual(["cliff", "truncated"]);
  });

  it("forgets what was ahead once nothing is said of it any more", () => {
    const { book, saved } = aBook();
    const told: Conversation = { id: "c", startedAt: 1, lastAt: 2, turnCount: 9, notices: [] };
    book.changed({
      ...told,
      cliff: { state: "reached", atTurn: { predicted: 9 }, remedies: [] },
      turnsLeft: { window: { predicted: 0 } },
      endsFirst: "window",
      tokensLeft: 5,
    });
    book.changed({ ...told, turnCount: 10 });
    for (const left of ["cliff", "turnsLeft", "endsFirst"]) {
      expect(book.find("c")).not.toHaveProperty(left);
      expect(saved.at(-1)).not.toHaveProperty(left);
    }
    expect(book.find("c")).toMatchObject({ turnCount: 10, tokensLeft: 5 });
  });

  it("lists those of people, the latest first, and forgets", () => {
    const { book, turn } = aBook();
    turn({ conversationId: "a" });
    turn({ conversationId: "b", purpose: "single" });
    turn({ conversationId: "t", purpose: "title" });
    turn({ conversationId: "a", turn: 2 });
    expect(book.latest(20).map(({ id }) => id)).toEqual(["a", "b"]);
    expect(book.latest(1).map(({ id }) => id)).toEqual(["a"]);
    book.forget("a");
    expect(book.find("a")).toBeUndefined();
    book.forgetAll();
    expect(book.latest(20)).toEqual([]);
  });

  it("lets a turn be the first of a conversation of its own", () => {
    const { book, turn, saved } = aBook();
    turn({ conversationId: "a", client: { name: "curl" } });
    book.split({ from: "a", to: "b", startedAt: 3 });
    expect(saved.at(-1)).toEqual({
      id: "b",
      model: "m",
      client: "curl",
      purpose: "chat",
      startedAt: 3,
      lastAt: 3,
      turnCount: 1,
      notices: [],
    });
  });

  it("keeps to its limit and passes over what belongs to none", () => {
    const { book, turn } = aBook(2);
    ["a", "b", "c"].forEach((conversationId) => turn({ conversationId }));
    turn({ conversationId: undefined });
    expect(book.latest(20).map(({ id }) => id)).toEqual(["c", "b"]);
  });
});
