import { describe, expect, it } from "vitest";
import { createPrefixMemory } from "../../src/predict/prefillPrefix.ts";

const turn = (messageCount: number, textBytes: number, inputTokens = textBytes / 4) => ({
  messageCount,
  textBytes,
  imageCount: 0,
  inputTokens,
  outputTokens: 50,
});
const prompt = (messageCount: number, textBytes: number) => ({ messageCount, textBytes, imageCount: 0 });

describe("the turn before this one", () => {
  it("is the one with a few messages less and less text", () => {
    const memory = createPrefixMemory();
    memory.remember(turn(3, 4000));
    const match = memory.match(prompt(5, 5000));
    expect(match).toMatchObject({ latest: true, repeated: false, turn: { messageCount: 3 } });
  });

  it("is found behind another conversation", () => {
    const memory = createPrefixMemory();
    memory.remember(turn(5, 4000));
    memory.remember(turn(1, 900));
    expect(memory.match(prompt(7, 5000))).toMatchObject({ latest: false, turn: { messageCount: 5 } });
  });

  it("is the nearest of several", () => {
    const memory = createPrefixMemory();
    memory.remember(turn(5, 4000));
    memory.remember(turn(3, 900));
    expect(memory.match(prompt(7, 5000))?.turn.messageCount).toBe(5);
  });

  it("is the same request when that is sent again", () => {
    const memory = createPrefixMemory();
    memory.remember(turn(3, 4000));
    memory.remember(turn(1, 100));
    expect(memory.match(prompt(3, 4000))).toMatchObject({ repeated: true, latest: false });
  });

  it.each([
    ["a new conversation", prompt(1, 500)],
    ["less text than before", prompt(5, 3000)],
    ["far more messages than a turn adds", prompt(40, 50_000)],
    ["other text in as many messages", prompt(3, 4400)],
  ])("is not known for %s", (_, request) => {
    const memory = createPrefixMemory();
    memory.remember(turn(3, 4000));
    expect(memory.match(request)).toBeUndefined();
  });
});

it("a new runner holds nothing", () => {
  const memory = createPrefixMemory();
  memory.remember(turn(3, 4000));
  memory.clear();
  expect(memory.match(prompt(5, 5000))).toBeUndefined();
  expect(memory.latest()).toBeUndefined();
});

it("remembers a bounded number of turns", () => {
  const memory = createPrefixMemory();
  memory.remember(turn(3, 4000));
  for (let other = 0; other < 16; other++) {
    memory.remember(turn(50 + other, 10));
  }
  expect(memory.match(prompt(5, 5000))).toBeUndefined();
});
