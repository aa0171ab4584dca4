/** Chats of many shapes: what is said of them holds whatever their window, their turns and their language. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { madeUpChat, type MadeUp } from "./madeUpChat.ts";
import { playChat, type Played } from "./playChat.ts";

const CUTS = new Set(["truncated", "messages-dropped"]);

function cutTurns({ turns }: Played): number[] {
  return turns.flatMap(({ exchange }, index) =>
    exchange.notices.some(({ kind }) => CUTS.has(kind)) ? [index + 1] : [],
  );
}

function play(made: MadeUp) {
  const truth = madeUpChat(made);
  return { truth, played: playChat(truth.chat, { systemBytes: truth.systemBytes }) };
}

/** Turns of about one size, as many as it takes to go some turns over. */
const regular = fc
  .record({
    contextLength: fc.constantFrom(512, 1024, 2048, 4096, 8192, 16_384, 32_768, 131_072),
    ollamaVersion: fc.constantFrom("0.24.0", "0.33.0-rc2"),
    turnsThatFit: fc.integer({ min: 5, max: 30 }),
    answerShare: fc.double({ min: 0.05, max: 0.7, noNaN: true }),
    systemShare: fc.constantFrom(0, 0, 0.05, 0.3),
    bytesPerToken: fc.double({ min: 2, max: 5.5, noNaN: true }),
    spread: fc.constantFrom(0, 0.05, 0.1),
    seed: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 80, maxLength: 80 }),
  })
  .map(({ contextLength, turnsThatFit, answerShare, systemShare, spread, seed, ...more }) => {
    const systemTokens = Math.round(contextLength * systemShare);
    const perTurn = (contextLength - systemTokens) / (turnsThatFit + 0.5);
    const count = turnsThatFit + 4;
    const size = (share: number, offset: number): number[] =>
      Array.from({ length: count }, (_, turn) =>
        Math.max(3, Math.round(perTurn * share * (1 + spread * (seed[turn + offset] ?? 0)) - 4)),
      );
    return {
      ...more,
      contextLength,
      systemTokens,
      questions: size(1 - answerShare, 0),
      answers: size(answerShare, 40),
    };
  });

describe("a chat that grows evenly", () => {
  it("is said to go over the cliff at least two turns ahead, within a turn, and does", () => {
    fc.assert(
      fc.property(regular, (made) => {
        const { truth, played } = play(made);
        const { cliffTurn = Infinity } = truth;
        fc.pre(cliffTurn >= 4 && cliffTurn <= truth.sent.length);
        const said = played.turns[cliffTurn - 3]?.exchange.notices.find(({ kind }) => kind === "cliff-ahead");
        expect(Math.abs((said?.atTurn ?? 0) - cliffTurn)).toBeLessThanOrEqual(1);
        const cliffs = played.turns.flatMap(({ exchange }, index) =>
          exchange.notices.some(({ kind }) => kind === "cliff") ? [index + 1] : [],
        );
        expect(cliffs).toEqual([cliffTurn]);
      }),
      { numRuns: 100 },
    );
  });

  it("loses messages in exactly the turns in which Ollama dropped some", () => {
    fc.assert(
      fc.property(regular, (made) => {
        const { truth, played } = play(made);
        expect(cutTurns(played)).toEqual(
          truth.lost.flatMap((tokens, index) => (tokens > 0 ? [index + 1] : [])),
        );
      }),
      { numRuns: 100 },
    );
  });

  it("waits as long after the cliff as was said two turns ahead, within 30 %", () => {
    fc.assert(
      fc.property(regular, (made) => {
        const { truth, played } = play(made);
        const { cliffTurn = Infinity } = truth;
        // The time of a few tokens, or of a book at once, tells nothing of that of others.
        const isUsual = Math.min(...made.questions) >= 20 && Math.max(...made.questions) <= 4096;
        fc.pre(cliffTurn >= 6 && cliffTurn <= truth.sent.length && isUsual);
        const said = played.turns[cliffTurn - 3]?.exchange.notices.find(({ kind }) => kind === "cliff-ahead");
        const actual = truth.chat.exchanges[cliffTurn - 1]?.prefillMs ?? 0;
        expect(Math.abs((said?.ms ?? 0) / actual - 1)).toBeLessThan(0.3);
      }),
      { numRuns: 100 },
    );
  });
});

const steady = (tokens: number, count: number): number[] => Array.from({ length: count }, () => tokens);

describe("no cut is", () => {
  it("a model that drops its thoughts, however near the window", () => {
    const { truth, played } = play({
      contextLength: 4096,
      questions: steady(80, 12),
      answers: steady(900, 12),
      thoughts: steady(800, 12),
    });
    expect(truth.cliffTurn).toBeUndefined();
    expect(cutTurns(played)).toEqual([]);
  });

  it("a thinking model's first long thought, after a history that nearly fills the window", () => {
    const { truth, played } = play({
      contextLength: 4096,
      questions: [3000, 60, 60],
      answers: [40, 950, 40],
      thoughts: [0, 900, 0],
    });
    expect(truth.cliffTurn).toBeUndefined();
    expect(cutTurns(played)).toEqual([]);
  });

  it("a chat that stays below its window", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 3, max: 900 }), fc.integer({ min: 1, max: 900 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.double({ min: 2, max: 5.5, noNaN: true }),
        (sizes, bytesPerToken) => {
          const questions = sizes.map(([question]) => question);
          const answers = sizes.map(([, answer]) => answer);
          const all = sizes.reduce((sum, [question, answer]) => sum + question + answer + 8, 8);
          const { played } = play({ contextLength: Math.max(512, all), questions, answers, bytesPerToken });
          expect(cutTurns(played)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

it("one large paste moves the cliff, and the next turns say the new place", () => {
  const questions = [...steady(200, 6), 2500, ...steady(200, 14)];
  const { truth, played } = play({ contextLength: 8192, questions, answers: steady(100, 21) });
  const { cliffTurn = 0 } = truth;
  const said = (ahead: number) =>
    played.turns[cliffTurn - 1 - ahead]?.exchange.notices.find(({ kind }) => kind === "cliff-ahead")?.atTurn;
  expect([said(5), said(3), said(2)]).toEqual([cliffTurn, cliffTurn, cliffTurn]);
});

it("a thinking model that does overflow is seen to", () => {
  const { truth, played } = play({
    contextLength: 4096,
    questions: steady(300, 14),
    answers: steady(700, 14),
    thoughts: steady(600, 14),
  });
  expect(truth.cliffTurn).toBeGreaterThan(5);
  expect(cutTurns(played)[0]).toBe(truth.cliffTurn);
});
