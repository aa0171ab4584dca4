/** The recorded long chats: the cliff is said turns ahead, with its costs, and recognised when it has come. */
import { describe, expect, it } from "vitest";
import { readChat } from "../predict/guessReplay.ts";
import { playChat, type Played } from "./playChat.ts";

const CHATS = [
  { name: "chat-gemma3-270m-v0.33", cliffTurn: 17, atLoadBytes: 366_972_928, keepsCopies: true },
  { name: "chat-synthetic-llama-v0.24", cliffTurn: 9, atLoadBytes: 1_177_108_480, keepsCopies: false },
];

function saidAt({ turns }: Played, turn: number) {
  return turns[turn - 1]?.exchange.notices.find(({ kind }) => kind === "cliff-ahead");
}

describe.each(CHATS)("$name", ({ name, cliffTurn, atLoadBytes, keepsCopies }) => {
  const played = playChat(readChat(name), { atLoadBytes });
  const { turns } = played;
  const over = turns[cliffTurn - 1];
  const last = turns.at(-1)?.conversation;

  it("is said to go over the cliff at the right turn, five turns ahead and in every turn from there", () => {
    for (let ahead = 5; ahead >= 1; ahead -= 1) {
      expect(saidAt(played, cliffTurn - ahead)).toMatchObject({ atTurn: cliffTurn, turnsAhead: ahead });
    }
    expect(saidAt(played, cliffTurn - 6)).toBeUndefined();
  });

  it("is said so before the answer of each of these turns begins", () => {
    const beforehand = turns[cliffTurn - 3]?.beforehand.find(({ kind }) => kind === "cliff-ahead");
    expect(beforehand).toMatchObject({ atTurn: cliffTurn, turnsAhead: 2 });
  });

  it("knows two turns ahead how long a prompt will take then, within 30 %", () => {
    const saidMs = saidAt(played, cliffTurn - 2)?.ms ?? 0;
    expect(Math.abs(saidMs / (over?.exchange.usage?.prefillMs ?? 1) - 1)).toBeLessThan(0.3);
    expect(Math.abs(last?.cliff?.prefillMs?.errorRatio ?? 1)).toBeLessThan(0.3);
  });

  it("knows the first byte too where Ollama's durations hold all of the time", () => {
    if (keepsCopies) {
      expect(Math.abs(last?.cliff?.firstTokenMs?.errorRatio ?? 1)).toBeLessThan(0.3);
    } else {
      expect(last?.cliff?.firstTokenMs).toBeUndefined();
    }
  });

  it("knows what each turn will leave in memory, within 15 %, and that v0.24 leaves nothing", () => {
    if (keepsCopies) {
      const measured = turns
        .slice(cliffTurn)
        .map(({ exchange }) => exchange.prediction?.grownBytes?.actual ?? Number.NaN);
      const saidBytes = saidAt(played, cliffTurn - 2)?.bytes ?? 0;
      expect(measured).toHaveLength(3);
      for (const bytes of measured) {
        expect(Math.abs(saidBytes / bytes - 1)).toBeLessThan(0.15);
      }
      expect(Math.abs(last?.cliff?.bytesPerTurn?.errorRatio ?? 1)).toBeLessThan(0.15);
    } else {
      expect(last?.cliff?.bytesPerTurn).toBeUndefined();
    }
  });

  it("is recognised when it has come, once", () => {
    const cliffs = turns.flatMap(({ exchange }) => exchange.notices.filter(({ kind }) => kind === "cliff"));
    expect(cliffs).toMatchObject([{ atTurn: cliffTurn }]);
    expect(over?.exchange.notices.map(({ kind }) => kind)).toEqual(["messages-dropped", "cliff"]);
    expect(over?.exchange.usage?.cachedInputTokens).toBe(0);
  });

  it("loses messages in every turn from there, and more each time", () => {
    const lost = turns.map(
      ({ exchange }) => exchange.notices.find(({ kind }) => kind === "messages-dropped")?.tokensLost ?? 0,
    );
    expect(lost.slice(0, cliffTurn - 1).every((tokens) => tokens === 0)).toBe(true);
    const after = lost.slice(cliffTurn - 1);
    expect(after).toEqual(after.toSorted((left, right) => left - right));
    expect(after[0]).toBeGreaterThan(400);
  });

  it("tells what was cached of each prompt before, as Ollama's log does, within 2 tokens", () => {
    for (const [index, { exchange }] of turns.slice(1, cliffTurn - 1).entries()) {
      const before = turns[index]?.exchange.usage;
      const inLog = (before?.inputTokens ?? 0) + (before?.outputTokens ?? 0) - 1;
      expect(Math.abs((exchange.usage?.cachedInputTokens ?? 0) - inLog)).toBeLessThanOrEqual(2);
    }
  });

  it("counts its turns down to the window's end", () => {
    const left = turns
      .slice(2, cliffTurn - 1)
      .map(({ conversation }) => conversation.turnsLeft?.window?.predicted);
    expect(left).toEqual([...left.keys()].toReversed());
    expect(last).toMatchObject({ turnCount: turns.length, cliff: { state: "reached" }, endsFirst: "window" });
  });

  it("is scored with the other predictions", () => {
    expect(played.scores.filter(({ kind }) => kind === "cliffTurn")).toMatchObject([{ errorRatio: 0 }]);
    expect(played.scores.filter(({ kind }) => kind === "cliffPrefillMs")).toHaveLength(1);
    expect(over?.exchange.prediction?.cliffTurn).toMatchObject({ predicted: cliffTurn, actual: cliffTurn });
  });
});

it("a chat on a small machine ends at its memory before it ends at its window", () => {
  const chat = readChat("chat-gemma3-270m-v0.33");
  const { turns } = playChat(
    { ...chat, exchanges: chat.exchanges.slice(0, 10) },
    { atLoadBytes: 366_972_928, headroomBytes: 2 ** 20 },
  );
  expect(turns.at(-1)?.conversation).toMatchObject({ endsFirst: "memory" });
  expect(turns.at(-1)?.conversation.turnsLeft?.memory?.predicted).toBeLessThan(7);
});

it("what stands by itself has no turns left: there is no next one", () => {
  const chat = readChat("chat-gemma3-270m-v0.33");
  const few = { ...chat, exchanges: chat.exchanges.slice(0, 10) };
  const { turns } = playChat(few, { atLoadBytes: 366_972_928, headroomBytes: 2 ** 20, purpose: "single" });
  expect(turns.at(-1)?.conversation).toMatchObject({ purpose: "single" });
  expect(turns.at(-1)?.conversation).not.toHaveProperty("turnsLeft");
  expect(turns.at(-1)?.conversation).not.toHaveProperty("endsFirst");
});

it("answers that come slower the deeper they lie are told beside the first ones", () => {
  const { turns } = playChat(readChat("chat-synthetic-llama-v0.24"));
  const {
    firstTokensPerSecond = 0,
    latestTokensPerSecond = 0,
    latestDepthTokens = 0,
  } = turns.at(-1)?.conversation.decodeDecay ?? {};
  expect(latestTokensPerSecond / firstTokensPerSecond).toBeGreaterThan(0.5);
  expect(latestTokensPerSecond / firstTokensPerSecond).toBeLessThan(0.8);
  expect(latestDepthTokens).toBe(3838);
});

it("bytes in use are told beside those allocated", () => {
  const { turns } = playChat(readChat("chat-synthetic-llama-v0.24"));
  const { occupiedBytes, allocatedBytes, contextTokensUsed } = turns[3]?.conversation ?? {};
  expect(contextTokensUsed).toBe(1900);
  expect(occupiedBytes).toBe(1900 * 32 * 1024);
  expect(allocatedBytes).toBe(128 * 2 ** 20);
});

describe("four conversations on one slot", () => {
  it("leave a copy at each switch, as much as was said beforehand", () => {
    const { turns } = playChat(readChat("interleaved-synthetic-llama-v0.33"), { atLoadBytes: 1_167_000_000 });
    const grown = turns.map(({ exchange }) => exchange.prediction?.grownBytes);
    const scored = grown.filter((growth) => growth?.errorRatio !== undefined);
    expect(scored.length).toBeGreaterThan(1);
    for (const growth of scored) {
      expect(Math.abs(growth?.errorRatio ?? 1)).toBeLessThan(0.05);
    }
    const last = turns.at(-1)?.growth;
    expect(last?.parts[0]).toMatchObject({ name: "prompt cache" });
    // "cache state: 3 prompts, 159.122 MiB (limits: 8192.000 MiB"
    expect(Math.abs((last?.promptCacheBytes ?? 0) / 2 ** 20 - 159.122)).toBeLessThan(2);
    expect(last?.text).toMatch(/copies of earlier prompts \(of at most 8\.0 GiB\)/);
  });

  it("that leave none, because their server keeps none, are believed after the first", () => {
    const { turns } = playChat(readChat("interleaved-without-prompt-cache-v0.33"), {
      atLoadBytes: 1_167_000_000,
    });
    expect(turns.at(-1)?.growth?.promptCacheBytes).toBe(0);
    expect(turns.at(-1)?.growth).not.toHaveProperty("promptCacheLimitBytes");
  });
});
