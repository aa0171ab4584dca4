/** The recorded chat of twenty turns at num_ctx 8192, held again with the simulated model of the same name. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { prose } from "../../src/demo/prose.ts";
import { createRandom } from "../../src/demo/random.ts";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { rawRequest } from "./support/rawClient.ts";

interface Turn {
  promptTokens: number;
  outputTokens: number;
  prefillMs: number;
  anonymousKiB: number;
}

const recorded = JSON.parse(
  readFileSync(new URL("../fixtures/demo/long-chat-gemma3-270m.json", import.meta.url), "utf8"),
) as Turn[];
/** Makes 436 prompt tokens of the first turn and 485 more of each later one, as recorded. */
const QUESTION_TOKENS = 427;

let ollama: SimulatedOllama;
let turns: Turn[] = [];
let claims: number[] = [];

beforeAll(async () => {
  ollama = createSimulatedOllama({ instant: true });
  const { port } = await ollama.listen();
  const random = createRandom(5);
  const messages: { role: string; content: string }[] = [];
  for (const { outputTokens } of recorded) {
    messages.push({ role: "user", content: prose(random, QUESTION_TOKENS) });
    const options = { num_ctx: 8192, num_predict: outputTokens };
    const body = JSON.stringify({ model: "gemma3:270m", messages, stream: false, options });
    const answer = JSON.parse((await rawRequest({ port, target: "/api/chat", body })).chunks.join("")) as {
      message: { content: string };
      prompt_eval_count: number;
      prompt_eval_duration: number;
      eval_count: number;
    };
    messages.push({ role: "assistant", content: answer.message.content });
    turns.push({
      promptTokens: answer.prompt_eval_count,
      outputTokens: answer.eval_count,
      prefillMs: answer.prompt_eval_duration / 1e6,
      anonymousKiB: (ollama.memory().runners[0]?.sample.anonymousBytes ?? 0) / 1024,
    });
    const ps = await rawRequest({ port, method: "GET", target: "/api/ps" });
    claims.push((JSON.parse(ps.chunks.join("")) as { models: { size: number }[] }).models[0]?.size ?? 0);
  }
});
afterAll(async () => await ollama.close());

it("counts the prompt as recorded, turn by turn", () => {
  for (const [index, turn] of turns.entries()) {
    expect(Math.abs(turn.promptTokens - (recorded[index]?.promptTokens ?? 0))).toBeLessThanOrEqual(15);
    expect(turn.outputTokens).toBe(48);
  }
});

it("computes as long as recorded: ten times longer from turn 17 on", () => {
  for (const [index, turn] of turns.entries()) {
    const ratio = turn.prefillMs / (recorded[index]?.prefillMs ?? 0);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.2);
  }
  expect((turns[16]?.prefillMs ?? 0) / (turns[15]?.prefillMs ?? 1)).toBeGreaterThan(9);
});

it("holds the memory recorded: flat until turn 16, then 45 MiB more each turn", () => {
  for (const [index, turn] of turns.entries()) {
    expect(turn.anonymousKiB / (recorded[index]?.anonymousKiB ?? 0)).toBeCloseTo(1, 1);
  }
  for (const index of [17, 18, 19]) {
    const grown = (turns[index]?.anonymousKiB ?? 0) - (turns[index - 1]?.anonymousKiB ?? 0);
    expect(grown / 1024).toBeGreaterThan(43);
    expect(grown / 1024).toBeLessThan(48);
  }
});

it("claims the same size all the while", () => {
  expect(new Set(claims).size).toBe(1);
});
