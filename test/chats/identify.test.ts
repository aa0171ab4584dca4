import { describe, expect, it } from "vitest";
import { createIdentify } from "../../src/chats/identify.ts";
import type { Place } from "../../src/chats/place.ts";
import { asked, printOf, type Asked, type Said } from "./people.ts";

const LONG = "Why is the sky blue on a clear day, and red in the evening?";
const minute = 60_000;

function talk() {
  let ids = 0;
  const moves: [string, string][] = [];
  const identify = createIdentify({
    moved: ({ exchangeId, to }) => moves.push([exchangeId, to]),
    newId: () => {
      ids += 1;
      return `c${ids}`;
    },
  });
  let clock = 0;
  function ask(
    what: Asked & { answer?: string; phase?: "completed" | "cancelled" | "failed" },
  ): Place & { id: string } {
    clock = what.at ?? clock + 1000;
    const { exchange, facts } = asked({ ...what, at: clock });
    const identified = identify.begin(exchange, facts);
    const phase = what.phase ?? "completed";
    clock += 500;
    exchange.state =
      phase === "failed"
        ? { phase, endedAt: clock, error: { code: "x", message: "x" } }
        : { phase, endedAt: clock };
    identify.end(exchange, {
      complete: true,
      contentChunkCount: 1,
      conversation: what.answer === undefined ? {} : { text: printOf(what.answer) },
    });
    return { ...(identified as Place), id: exchange.id };
  }
  return { ask, identify, moves };
}

const chat = (...texts: string[]): Said[] =>
  texts.map((text, index) => [index % 2 === 0 ? "user" : "assistant", text] as const);

describe("identify", () => {
  it("follows a chat from turn to turn", () => {
    const { ask } = talk();
    const first = ask({ messages: chat("hi"), answer: "hello" });
    const second = ask({ messages: chat("hi", "hello", "and?"), answer: "what?" });
    const third = ask({ messages: chat("hi", "hello", "and?", "what?", "so") });
    expect(first).toMatchObject({ turn: 1, isNew: true, isBranch: false, purpose: "chat" });
    expect(second).toMatchObject({
      conversationId: first.conversationId,
      turn: 2,
      previousId: first.id,
      isNew: false,
    });
    expect(third).toMatchObject({ conversationId: first.conversationId, turn: 3, previousId: second.id });
    expect(third.branchOf).toBeUndefined();
  });

  it("goes on where the answer comes back altered: thoughts dropped, tool calls without text", () => {
    const { ask } = talk();
    const first = ask({ messages: chat(LONG), answer: "<think>x</think> because" });
    const second = ask({ messages: chat(LONG, "because", "and?"), answer: "thinking" });
    const third = ask({ messages: chat(LONG, "because", "and?", "", "so") });
    expect([second, third].map((turn) => turn.conversationId)).toEqual([
      first.conversationId,
      first.conversationId,
    ]);
    expect(third.turn).toBe(3);
  });

  it("tells chats apart that begin alike, by the answer they bring back", () => {
    const { ask } = talk();
    const one = ask({ messages: chat("hi"), answer: "hello" });
    const two = ask({ messages: chat("hi"), answer: "good day" });
    expect(two.conversationId).not.toBe(one.conversationId);
    expect(ask({ messages: chat("hi", "hello", "and?") }).conversationId).toBe(one.conversationId);
    expect(ask({ messages: chat("hi", "good day", "and?") }).conversationId).toBe(two.conversationId);
  });

  it("keeps two clients apart that say the same", () => {
    const { ask } = talk();
    const messages: Said[] = [["system", "You are a bot."], ...chat(LONG)];
    const one = ask({ messages, answer: "a" });
    const two = ask({ messages, answer: "a", userAgent: "other/2" });
    const three = ask({ messages, answer: "a", address: "10.0.0.9" });
    const four = ask({ messages, answer: "a", more: { userId: "u" } });
    expect(new Set([one, two, three, four].map((turn) => turn.conversationId)).size).toBe(4);
  });

  it("takes a regenerated and an edited turn for branches", () => {
    const { ask } = talk();
    const first = ask({ messages: chat(LONG), answer: "one" });
    ask({ messages: chat(LONG, "one", "two?"), answer: "two" });
    const again = ask({ messages: chat(LONG, "one", "two?"), answer: "two anew" });
    expect(again).toMatchObject({
      conversationId: first.conversationId,
      turn: 2,
      branchOf: first.id,
      isBranch: true,
    });
    const edited = ask({ messages: chat(LONG, "one", "three?"), answer: "three" });
    expect(edited).toMatchObject({ conversationId: first.conversationId, turn: 2, branchOf: first.id });
    const on = ask({ messages: chat(LONG, "one", "two?", "two anew", "on") });
    expect(on).toMatchObject({
      conversationId: first.conversationId,
      turn: 3,
      previousId: again.id,
      isBranch: false,
    });
  });

  it("takes a first message that is sent again soon for the same chat, if hardly two chats begin with it", () => {
    const { ask } = talk();
    const first = ask({ messages: chat(LONG), answer: "one" });
    const again = ask({ messages: chat(LONG), answer: "another", at: 3 * minute });
    expect(again).toMatchObject({ conversationId: first.conversationId, turn: 1, isBranch: true });
    expect(ask({ messages: chat(LONG, "another", "on"), at: 4 * minute })).toMatchObject({
      conversationId: first.conversationId,
      turn: 2,
      previousId: again.id,
    });
    const nextDay = ask({ messages: chat(LONG), answer: "third", at: 1440 * minute });
    expect(nextDay).toMatchObject({ turn: 1, isNew: true });
  });

  it("parts two chats again that were taken for one, once both go on", () => {
    const { ask, moves } = talk();
    const first = ask({ messages: chat(LONG), answer: "one" });
    const second = ask({ messages: chat(LONG), answer: "another" });
    ask({ messages: chat(LONG, "another", "on"), answer: "x" });
    const on = ask({ messages: chat(LONG, "one", "and on"), answer: "y" });
    expect(on).toMatchObject({ turn: 2, isNew: true });
    expect(moves).toEqual([[first.id, on.conversationId]]);
    expect(on.conversationId).not.toBe(second.conversationId);
    expect(ask({ messages: chat(LONG, "one", "and on", "y", "z") })).toMatchObject({
      conversationId: on.conversationId,
      turn: 3,
    });
  });

  it("keeps a chat together that failed at its second turn, when one that began alike goes on", () => {
    const { ask } = talk();
    const first = ask({ messages: chat("hi"), answer: "one", phase: "failed" });
    const second = ask({ messages: chat("hi"), answer: "two" });
    const on = ask({ messages: chat("hi", "two", "on"), answer: "x", phase: "failed" });
    const other = ask({ messages: chat("hi", "one", "and on"), answer: "y" });
    const last = ask({ messages: chat("hi", "two", "on", "x", "more") });
    expect(second.conversationId).toBe(first.conversationId);
    expect([on, last].map(({ conversationId }) => conversationId)).toEqual([
      second.conversationId,
      second.conversationId,
    ]);
    expect(other.conversationId).not.toBe(second.conversationId);
  });

  it("makes no branch of an attempt after an error", () => {
    const { ask } = talk();
    const first = ask({ messages: chat("hi"), phase: "failed" });
    expect(ask({ messages: chat("hi"), answer: "hello" })).toMatchObject({
      conversationId: first.conversationId,
      turn: 1,
      isBranch: false,
    });
    ask({ messages: chat("hi", "hello", "on"), phase: "failed" });
    expect(ask({ messages: chat("hi", "hello", "on"), answer: "x" })).toMatchObject({
      turn: 2,
      isBranch: false,
    });
  });

  it("counts each step of tools as a turn of the chat", () => {
    const { ask } = talk();
    const first = ask({ messages: chat(LONG) });
    const step: Said[] = [...chat(LONG, ""), ["tool", "22 degrees"]];
    const second = ask({ messages: step, answer: "let me look on" });
    const third = ask({
      messages: [...step, ["assistant", "let me look on"], ["tool", "rain"]],
      answer: "rain",
    });
    expect(second).toMatchObject({ conversationId: first.conversationId, turn: 2, isBranch: false });
    expect(third).toMatchObject({ conversationId: first.conversationId, turn: 3, previousId: second.id });
  });

  it("stays with a chat whose instructions hold the time", () => {
    const { ask } = talk();
    const first = ask({ messages: [["system", "It is 10:01"], ...chat("hi")], answer: "hello" });
    expect(
      ask({ messages: [["system", "It is 10:02"], ...chat("hi", "hello", "and?")] }).conversationId,
    ).toBe(first.conversationId);
  });

  it("stays with a chat whose client leaves out the oldest messages", () => {
    const { ask } = talk();
    const texts = Array.from({ length: 30 }, (_, index) => `message number ${index} of a long talk`);
    const found = Array.from({ length: 15 }, (_, turn) =>
      ask({
        messages: chat(...texts.slice(Math.max(0, 2 * turn - 4), 2 * turn + 1)),
        answer: texts[2 * turn + 1],
      }),
    );
    expect(new Set(found.map((turn) => turn.conversationId)).size).toBe(1);
    expect(found.map((turn) => turn.turn)).toEqual(found.map((_, index) => index + 1));
  });

  it("obeys the id that a client gives", () => {
    const { ask } = talk();
    const one = ask({ messages: chat("hi"), more: { givenId: "A" } });
    const two = ask({ messages: chat("hi"), more: { givenId: "B" } });
    const more = ask({ messages: chat("quite", "another", "thing"), more: { givenId: "A" } });
    expect(two.conversationId).not.toBe(one.conversationId);
    expect(more).toMatchObject({ conversationId: one.conversationId, turn: 2 });
  });

  it("follows the Responses API and generate by what they refer to", () => {
    const { identify } = talk();
    const go = (
      more: Asked["more"],
      answer: { responseId?: string; context?: string },
      operation?: "generate",
    ) => {
      const { exchange, facts } = asked({ more, operation });
      const identified = identify.begin(exchange, facts);
      exchange.state = { phase: "completed", endedAt: 1 };
      identify.end(exchange, { complete: true, contentChunkCount: 1, conversation: answer });
      return identified;
    };
    const one = go({}, { responseId: "r1" });
    expect(go({ previousResponseId: "r1" }, {})).toMatchObject({
      conversationId: one?.conversationId,
      turn: 2,
    });
    const single = go({ purpose: "single" }, { context: "k1" }, "generate");
    const next = go({ context: "k1" }, { context: "k2" }, "generate");
    expect(next).toMatchObject({ conversationId: single?.conversationId, turn: 2 });
    expect(go({ purpose: "single" }, {}, "generate")?.conversationId).not.toBe(single?.conversationId);
  });

  it("keeps what programs ask apart", () => {
    const { ask } = talk();
    const first = ask({ messages: chat("hi"), answer: "hello" });
    const title = ask({ messages: chat("### Task: title"), purpose: "title" });
    const typed = [0, 1, 2].map(() => ask({ purpose: "autocomplete" }));
    const plain = ask({ purpose: "single", operation: "generate", userAgent: "Continue/1.3" });
    expect(plain.purpose).toBe("autocomplete");
    expect(title.conversationId).not.toBe(first.conversationId);
    expect(new Set(typed.map((turn) => turn.conversationId)).size).toBe(1);
    expect(typed.map((turn) => turn.turn)).toEqual([1, 2, 3]);
    expect(ask({ messages: chat("hi", "hello", "and?") }).turn).toBe(2);
  });

  it("goes on after a restart", () => {
    const before = talk();
    const first = before.ask({ messages: chat("hi"), answer: "hello" });
    before.ask({ messages: chat("hi", "hello", "and?"), answer: "what?" });
    const kept = JSON.parse(JSON.stringify(before.identify.heads(first.conversationId)));
    const after = talk();
    after.identify.restore([kept]);
    expect(after.ask({ messages: chat("hi", "hello", "and?", "what?", "so") })).toMatchObject({
      conversationId: first.conversationId,
      turn: 3,
    });
  });
});
