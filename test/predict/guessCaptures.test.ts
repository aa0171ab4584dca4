import { describe, expect, it } from "vitest";
import { median, quantile } from "../../src/predict/quantile.ts";
import { errorsOf, readChat, replay, type RecordedChat } from "./guessReplay.ts";

const CHATS = ["chat-gemma3-270m-v0.33", "chat-synthetic-llama-v0.24"];
const FIRST = 5;

function lastRateErrors({ exchanges }: RecordedChat): number[] {
  const rates = exchanges.map(({ outputTokens, decodeMs }) => (outputTokens - 1) / decodeMs);
  return rates.slice(FIRST).map((rate, index) => Math.abs((rates[index + FIRST - 1] ?? 0) / rate - 1));
}

function lastPrefillErrors({ exchanges }: RecordedChat): number[] {
  return exchanges
    .slice(FIRST)
    .map(({ prefillMs }, index) => Math.abs((exchanges[index + FIRST - 1]?.prefillMs ?? 0) / prefillMs - 1));
}

describe.each(CHATS)("%s, guessed one ahead from turn 6 on", (name) => {
  const chat = readChat(name);
  const later = replay(chat).slice(FIRST);
  const sizes = (kind: Parameters<typeof errorsOf>[1]): number[] => errorsOf(later, kind).map(Math.abs);

  it("tokens per second are no worse than the last turn's", () => {
    const errors = sizes("decodeTokensPerSecond");
    expect(errors).toHaveLength(chat.exchanges.length - FIRST);
    expect(median(errors)).toBeLessThan(median(lastRateErrors(chat)) ?? 0);
    expect(median(errors)).toBeLessThan(0.07);
  });

  it("prefill is far nearer than the last turn's once the context is full", () => {
    expect(quantile(sizes("prefillMs"), 0.9)).toBeLessThan(quantile(lastPrefillErrors(chat), 0.9) ?? 0);
    expect(median(sizes("prefillMs"))).toBeLessThan(0.09);
  });

  it("input tokens are within 1 % in the middle and 3 % always", () => {
    expect(median(sizes("inputTokens"))).toBeLessThan(0.01);
    expect(Math.max(...sizes("inputTokens"))).toBeLessThan(0.03);
  });

  it("the first token comes within 10 % of the guess in the middle", () => {
    expect(median(sizes("firstTokenMs"))).toBeLessThan(0.1);
  });

  it("the runner's memory is within 2 % in the middle", () => {
    expect(median(sizes("runnerBytes"))).toBeLessThan(0.02);
  });
});

it("sees the cliff coming: the turn that no longer fits is guessed ten times slower than the one before", () => {
  const replayed = replay(readChat("chat-gemma3-270m-v0.33"));
  const before = replayed[15]?.scored.prefillMs;
  const over = replayed[16]?.scored.prefillMs;
  expect((over?.actual ?? 0) / (before?.actual ?? 1)).toBeGreaterThan(10);
  expect((over?.predicted ?? 0) / (before?.predicted ?? 1)).toBeGreaterThan(10);
  expect(Math.abs(over?.errorRatio ?? 1)).toBeLessThan(0.3);
});

describe("four conversations on one slot", () => {
  it("with a prompt cache cost their new text when they come back", () => {
    const replayed = replay(readChat("interleaved-synthetic-llama-v0.33"), {
      more: { promptCache: true, kvBytesPerToken: 32_768 },
    });
    expect(median(errorsOf(replayed.slice(5), "prefillMs").map(Math.abs))).toBeLessThan(0.15);
    expect(median(errorsOf(replayed.slice(1), "runnerBytes").map(Math.abs))).toBeLessThan(0.01);
  });

  it("without one cost the whole prompt, which one return is enough to learn", () => {
    const replayed = replay(readChat("interleaved-without-prompt-cache-v0.33"), {
      more: { promptCache: false },
    });
    expect(median(errorsOf(replayed.slice(5), "prefillMs").map(Math.abs))).toBeLessThan(0.25);
  });
});
