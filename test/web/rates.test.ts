import { describe, expect, it } from "vitest";
import type { Exchange, Usage } from "../../src/types.ts";
import { decodeTokensPerSecond, firstTokenMs, liveTokensPerSecond } from "../../web/rates.ts";
import { aLiveExchange, anExchange } from "./support.ts";

describe("tokens per second of a finished exchange", () => {
  const rate = (usage: Usage | undefined, overrides: Partial<Exchange> = {}) =>
    decodeTokensPerSecond(anExchange({ usage, ...overrides }));
  const streamed = (streamMs: number): Partial<Exchange> => ({
    stream: true,
    state: { phase: "completed", firstTokenAt: 2000, endedAt: 2000 + streamMs },
  });

  it("are its output tokens over its decode time", () => {
    expect(rate({ outputTokens: 50, decodeMs: 2000, provenance: "measured" }, streamed(9000))).toBe(25);
  });

  it("are counted from the first token on where a dialect tells no decode time", () => {
    expect(rate({ outputTokens: 101, provenance: "measured" }, streamed(4000))).toBe(25);
  });

  it.each<[Usage | undefined, Partial<Exchange>]>([
    [undefined, streamed(4000)],
    [{ provenance: "measured" }, streamed(4000)],
    [{ outputTokens: 50, decodeMs: 0, provenance: "measured" }, streamed(4000)],
    [{ outputTokens: 0, decodeMs: 100, provenance: "measured" }, {}],
    [{ outputTokens: 50, decodeMs: -1, provenance: "measured" }, {}],
    [{ outputTokens: 50, provenance: "measured" }, streamed(20)],
    [
      { outputTokens: 50, provenance: "measured" },
      { ...streamed(4000), stream: false },
    ],
    [
      { outputTokens: 50, provenance: "measured" },
      { stream: true, state: { phase: "cancelled", firstTokenAt: 1, endedAt: 9000 } },
    ],
  ])("are unknown for %j, %j", (usage, overrides) => {
    expect(rate(usage, overrides)).toBeUndefined();
  });
});

describe("tokens per second of a running exchange", () => {
  const running = aLiveExchange({
    state: { phase: "streaming", firstTokenAt: 2000 },
    contentChunkCount: 101,
  });

  it("count from the first token to the last one seen", () => {
    expect(liveTokensPerSecond(running, 6000)).toBe(25);
  });

  it("are unknown in the first second, before the first token, and after the end", () => {
    expect(liveTokensPerSecond(running, 2900)).toBeUndefined();
    expect(liveTokensPerSecond(aLiveExchange({ state: { phase: "waiting" } }), 6000)).toBeUndefined();
    expect(liveTokensPerSecond(anExchange({ contentChunkCount: 9 }), 6000)).toBeUndefined();
  });
});

describe("time to the first token", () => {
  it("runs from the request, is unknown without a first token, and never negative", () => {
    const at = (firstTokenAt?: number) =>
      firstTokenMs(
        anExchange({ startedAt: 1000, state: { phase: "completed", endedAt: 9000, firstTokenAt } }),
      );
    expect(at(1250)).toBe(250);
    expect(at()).toBeUndefined();
    expect(at(900)).toBe(0);
  });
});
