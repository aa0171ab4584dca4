/** Chats with a machine whose speed is known exactly, but for noise. */
import type { RecordedExchange } from "./guessReplay.ts";

export interface SimulatedMachine {
  baseMs: number;
  perDepthMs: number;
  prefillPerTokenMs: number;
  prefillPerPairMs: number;
  bytesPerToken: number;
  tokensPerMessage: number;
  /** Standard deviation of the logarithm of every duration. */
  noise: number;
  /** Share of exchanges that something else slows down to half the speed. */
  disturbed?: number;
}

/** A repeatable stream of figures between 0 and 1 (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One conversation after another, each of some turns, in a context that is never outgrown. */
export function simulateTraffic(
  machine: SimulatedMachine,
  { count, seed }: { count: number; seed: number },
): RecordedExchange[] {
  const random = createRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const noisy = (ms: number): number => ms * Math.exp(machine.noise * normal());
  const exchanges: RecordedExchange[] = [];
  let chat = { messageCount: 0, textBytes: 0, tokens: 0, held: 0 };
  let clock = 0;
  for (let index = 0; index < count; index++) {
    if (random() < 0.12 || chat.tokens > 20_000) {
      chat = { messageCount: -1, textBytes: 0, tokens: 3, held: 0 };
    }
    const outputTokens = Math.round(30 + 400 * random());
    const asked = Math.round(40 + 600 * random() ** 2);
    const added = asked + (chat.messageCount > 0 ? (exchanges.at(-1)?.outputTokens ?? 0) : 0);
    const messages = chat.messageCount > 0 ? 2 : 1;
    const inputTokens = chat.tokens + added + messages * machine.tokensPerMessage;
    const uncached = Math.max(1, inputTokens - chat.held);
    const slow = random() < (machine.disturbed ?? 0) ? 2 : 1;
    const prefillMs =
      slow *
      noisy(
        uncached * machine.prefillPerTokenMs +
          (uncached * chat.held + uncached ** 2 / 2) * machine.prefillPerPairMs,
      );
    const depth = inputTokens + outputTokens / 2;
    const decodeMs = slow * noisy((outputTokens - 1) * (machine.baseMs + machine.perDepthMs * depth));
    chat = {
      messageCount: Math.max(0, chat.messageCount) + messages,
      textBytes: chat.textBytes + Math.round(added * machine.bytesPerToken),
      tokens: inputTokens,
      held: inputTokens + outputTokens - 1,
    };
    exchanges.push({
      messageCount: chat.messageCount,
      textBytes: chat.textBytes,
      startedMs: clock,
      firstTokenMs: prefillMs + 20,
      endedMs: clock + prefillMs + decodeMs + 20,
      inputTokens,
      prefillMs,
      outputTokens,
      decodeMs,
      loadMs: 2,
    });
    clock += prefillMs + decodeMs + 5000;
  }
  return exchanges;
}
