import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coloured, columnsOf, plain } from "../../../src/cli/top/cells.ts";
import { frame } from "../../../src/cli/top/frame.ts";
import { applyToTop, emptyTop, seedTop } from "../../../src/cli/top/state.ts";
import type { Snapshot } from "../../../src/types.ts";
import { aConversation, anExchange, aSample, aSnapshot, gibibyte } from "./support.ts";

const picture = (overrides: Partial<Snapshot> = {}, width = 80, height = 24) =>
  frame(applyToTop(emptyTop, { type: "snapshot", snapshot: aSnapshot(overrides) }, 10_000), {
    width,
    height,
    paint: plain,
    now: 20_000,
  });

describe("the picture", () => {
  it("has the page's rows in its words, on 80×24", () => {
    const lines = picture();
    expect(lines).toHaveLength(24);
    expect(lines[0]).toBe("Plimsoll  idle       10 of 16 GiB used · 5.5 GiB before swap");
    expect(lines[2]).toContain(
      "░ other programs 4 GiB  █ weights 4 GiB  ▓ compute 0.3 GiB  ▞ KV cache 1 GiB",
    );
    expect(lines[3]).toContain("▚ prompt cache 0.8 GiB");
    const text = lines.join("\n");
    for (const title of ["Now", "Chats", "Predicted and actual"]) expect(lines).toContain(title);
    expect(text).toContain("Nothing is running.");
    expect(text).toMatch(/open-webui\s+3 turns.*4,096\/8,192/);
    expect(text).toContain("No exchange has come through yet.");
  });

  it("foretells swap, and no longer when it has come", () => {
    const forecast = { madeAt: 0, points: [], causes: [], secondsToSwap: { predicted: 48 } };
    const head = (state: "idle" | "swapping") =>
      picture({ forecast, verdict: { state, level: "warn", text: "" } }, 120)[0];
    expect(head("idle")).toMatch(/before swap · at this pace in about 50 s$/);
    expect(head("swapping")).toMatch(/swapping .*before swap$/);
  });

  it("shows what runs with what was expected of it", () => {
    const prefill = anExchange({
      startedAt: 8000,
      state: { phase: "waiting", stage: "prefill" },
      prediction: { prefillMs: { predicted: 50_000 }, inputTokens: { predicted: 7000 } },
    });
    expect(picture({ exchanges: [prefill] }).join("\n")).toMatch(
      /llama3\.1:8b.*prefill 12 s of 50 s ◇.*7,000\/8,192/,
    );
  });

  it("puts predictions beside what came", () => {
    const exchange = anExchange({
      contextTokensUsed: 100,
      prediction: { contextTokensUsed: { predicted: 110 }, decodeTokensPerSecond: { predicted: 8 } },
      usage: { outputTokens: 90, decodeMs: 9000, provenance: "measured" },
    });
    expect(picture({ exchanges: [exchange] }).join("\n")).toMatch(/110 → 100\s+\+10 %.*8\.0 → 10\.0\s+−20 %/);
  });

  it("says what is wrong and what to do, before anything else", () => {
    const episode = {
      id: "e",
      level: "warn" as const,
      startedAt: 1,
      causes: [{ name: "prompt cache", bytes: 6 * gibibyte }],
      remedies: [
        { id: "r", text: "Give it less.", commands: [{ platform: "any" as const, text: "X=2048" }] },
      ],
    };
    const lines = picture({ episodes: [episode] });
    expect(lines[1]).toMatch(/^warn: Memory is running short\. By prompt cache 6 GiB\./);
    expect(lines[2]).toMatch(/^ {2}fix: Give it less\. {2}\$ X=2048/);
    const health = { ...aSnapshot().health, upstream: { url: "http://x:1", reachable: false } };
    expect(picture({ health }).join("\n")).toContain("Ollama does not answer at http://x:1.");
    expect(picture({ sample: undefined }).join("\n")).toContain("No sample of memory yet.");
  });

  it("says how large a terminal it needs", () => {
    expect(picture({}, 60, 10)[0]).toMatch(/^plimsoll top needs 80×24; this terminal has 60×10/);
    expect(picture({}, 60, 10)).toHaveLength(10);
  });

  it("lets no name drive the terminal", () => {
    const hostile = "\u001B[2J\u001B]0;owned\u0007\u202Egnp\u0000\n" + "x".repeat(10_000);
    const text = picture({
      exchanges: [
        anExchange({ id: "1", model: hostile, client: { name: hostile }, state: { phase: "waiting" } }),
        anExchange({ id: "2", model: hostile }),
      ],
      conversations: [aConversation({ client: hostile })],
      episodes: [
        {
          id: "e",
          level: "critical",
          startedAt: 1,
          text: hostile,
          causes: [],
          remedies: [{ id: "r", text: hostile, commands: [{ platform: "any", text: hostile }] }],
        },
      ],
    });
    expect(text.join("")).not.toMatch(/\p{C}/u);
  });

  it("never is wider or higher than the terminal, whatever is in it, in colour or not", () => {
    const name = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.constantFrom("模型模型模型模型模型", "👩‍🚀🚀🚀", "e\u0301x"),
    );
    const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 12 });
    const exchange = fc
      .record({ id: fc.uuid(), model: name, client: name, used: fc.nat(2_000_000), live: fc.boolean() })
      .map(({ id, model, client, used, live }) =>
        anExchange({
          id,
          model,
          client: { name: client },
          contextTokensUsed: used,
          contextLength: 1_048_576,
          prediction: { contextTokensUsed: { predicted: used * 1.5 }, prefillMs: { predicted: used } },
          state: live ? { phase: "waiting", stage: "prefill" } : { phase: "completed", endedAt: 9 },
        }),
      );
    const conversation = fc
      .record({ id: fc.uuid(), client: name, used: fc.nat(2_000_000) })
      .map(({ id, client, used }) =>
        aConversation({
          id,
          client,
          contextTokensUsed: used,
          contextLength: 1_048_576,
          turnsLeft: { window: { predicted: 400, low: 100, high: 900 } },
          cliff: { state: "ahead", atTurn: { predicted: 12_345 }, remedies: [] },
        }),
      );
    const size = fc.record({
      width: fc.integer({ min: 80, max: 260 }),
      height: fc.integer({ min: 24, max: 90 }),
    });
    fc.assert(
      fc.property(some(exchange), some(conversation), size, (exchanges, conversations, { width, height }) => {
        const snapshot = aSnapshot({ exchanges, conversations });
        const state = applyToTop(emptyTop, { type: "snapshot", snapshot }, 10_000);
        const lines = frame(state, { width, height, paint: coloured, now: 90_000_000 });
        expect(lines).toHaveLength(height);
        for (const line of lines)
          expect(columnsOf(stripVTControlCharacters(line))).toBeLessThanOrEqual(width);
        const uncoloured = frame(state, { width, height, paint: plain, now: 90_000_000 });
        expect(lines.map(stripVTControlCharacters)).toEqual(uncoloured);
      }),
      { numRuns: 100 },
    );
  });
});

describe("what it knows", () => {
  it("goes on with each message, and begins with what was recorded", () => {
    let state = applyToTop(emptyTop, { type: "snapshot", snapshot: aSnapshot() }, 10_000);
    const older = aSample({ takenAt: 5000, availableBytes: 8 * gibibyte });
    state = seedTop(state, { exchanges: [anExchange({ id: "old", startedAt: 1 })], samples: [older] });
    state = applyToTop(state, { type: "exchange", exchange: anExchange({ state: { phase: "waiting" } }) }, 1);
    expect(state.live).toHaveLength(1);
    state = applyToTop(state, { type: "exchange", exchange: anExchange() }, 1);
    expect(state.ended.map(({ id }) => id)).toEqual(["exchange-1", "old"]);
    state = applyToTop(state, { type: "exchange", exchange: anExchange({ state: { phase: "waiting" } }) }, 1);
    expect(state.live).toEqual([]);
    state = applyToTop(state, { type: "sample", sample: aSample({ takenAt: 30_000 }) }, 1);
    expect(state.used.map((bytes) => bytes && bytes / gibibyte)).toEqual([8, 10, undefined, 10]);
    state = applyToTop(state, { type: "conversation", conversation: aConversation({ turnCount: 4 }) }, 1);
    expect(state.conversations).toMatchObject([{ turnCount: 4 }]);
    state = applyToTop(state, { type: "removed", kind: "conversation", id: "chat-1" }, 1);
    expect(state.conversations).toEqual([]);
    expect(applyToTop(state, { type: "weather" } as never, 1)).toBe(state);
  });
});
