import { afterEach, describe, expect, it, vi } from "vitest";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { prose } from "../../src/demo/prose.ts";
import { createRandom } from "../../src/demo/random.ts";
import { openRequest, rawRequest } from "./support/rawClient.ts";

let ollama: SimulatedOllama;
let port = 0;

async function start(speed: number): Promise<void> {
  ollama = createSimulatedOllama({ speed });
  ({ port } = await ollama.listen());
}
afterEach(async () => await ollama.close());

const body = (model: string, tokens: number, outputTokens: number): string =>
  JSON.stringify({
    model,
    prompt: prose(createRandom(tokens), tokens),
    options: { num_ctx: 8192, num_predict: outputTokens },
  });
const outcomes = (): string[] => ollama.requests().map((request) => request.outcome);
const only = () => {
  const [runner] = ollama.memory().runners;
  if (runner === undefined) throw new Error("no runner");
  return runner;
};

describe("a client that leaves", () => {
  it("during the load throws the load away", async () => {
    await start(10);
    const client = openRequest({ port, target: "/api/generate", body: body("llama3.1:8b", 50, 10) });
    await vi.waitFor(() => expect(only().loaded).toBe(false));
    client.end();
    await vi.waitFor(() => expect(ollama.memory().runners).toEqual([]));
    expect(outcomes()).toEqual(["left"]);
  });

  it("while its prompt is computed stops the computing, and what was done is not lost", async () => {
    await start(20);
    await rawRequest({ port, target: "/api/generate", body: body("gemma3:270m", 10, 1) });
    const request = { port, target: "/api/generate", body: body("gemma3:270m", 7000, 1) };
    const client = openRequest(request);
    await vi.waitFor(() => expect(only().busy).toBe(true));
    await ollama.clock.sleep(4000);
    client.end();
    await vi.waitFor(() => expect(only().busy).toBe(false));
    const again = await rawRequest(request);
    const last = JSON.parse(again.chunks.at(-1) ?? "") as { prompt_eval_duration: number };
    expect(last.prompt_eval_duration / 1e6).toBeLessThan(11_500);
    expect(outcomes()).toEqual(["answered", "left", "answered"]);
  });

  it("in the middle of an answer ends it within a token", async () => {
    await start(1);
    await rawRequest({ port, target: "/api/generate", body: body("gemma3:270m", 10, 1) });
    const client = openRequest({ port, target: "/api/generate", body: body("gemma3:270m", 12, 2000) });
    await new Promise((resolve) => client.once("data", resolve));
    client.end();
    await vi.waitFor(() => expect(only().busy).toBe(false), { timeout: 500 });
    expect(outcomes()).toEqual(["answered", "left"]);
  });

  it("from the line lets the next one in", async () => {
    await start(20);
    const running = rawRequest({ port, target: "/api/generate", body: body("gemma3:270m", 500, 400) });
    await vi.waitFor(() => expect(ollama.memory().runners[0]?.loaded).toBe(true));
    const waiting = openRequest({ port, target: "/api/generate", body: body("gemma3:270m", 500, 400) });
    const last = rawRequest({ port, target: "/api/generate", body: body("gemma3:270m", 20, 1) });
    await vi.waitFor(() => expect(ollama.requests()).toHaveLength(3));
    waiting.end();
    const answers = await Promise.all([running, last]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(outcomes()).toEqual(["answered", "left", "answered"]);
  });
});

it("says the wait in line in total_duration and nowhere else", async () => {
  await start(50);
  await rawRequest({ port, target: "/api/generate", body: body("gemma3:270m", 10, 1) });
  const request = { port, target: "/api/generate", body: body("gemma3:270m", 300, 120) };
  const answers = await Promise.all([rawRequest(request), rawRequest(request)]);
  const queued = answers.map((answer) => {
    const end = JSON.parse(answer.chunks.at(-1) ?? "") as Record<string, number>;
    const parts = ["load_duration", "prompt_eval_duration", "eval_duration"].map((name) => end[name] ?? 0);
    return ((end.total_duration ?? 0) - parts.reduce((sum, part) => sum + part, 0)) / 1e6;
  });
  expect(Math.min(...queued)).toBeLessThan(5);
  expect(Math.max(...queued)).toBeGreaterThan(1500);
});
