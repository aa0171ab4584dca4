/** The story, told sixty times as fast as the clock on the wall. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Chats } from "../../src/demo/chats.ts";
import { createDemo, type Demo } from "../../src/demo/demo.ts";
import type { RunnerMemory } from "../../src/demo/engine/runner.ts";

const SPEED = 60;
const WAIT = { timeout: 60_000, interval: 20 };

let demo: Demo;
let chats: Chats;

beforeAll(async () => {
  demo = createDemo({ speed: SPEED });
  const { url } = await demo.upstream.listen();
  chats = demo.startChats(url);
});
afterAll(async () => {
  await chats.stop();
  await demo.upstream.close();
});

const large = (): { memory: RunnerMemory; contextLength: number | undefined } => {
  const runner = demo.upstream.memory().runners.find((each) => each.sample.model === "llama3.1:8b");
  if (runner === undefined) throw new Error("not loaded");
  return { memory: runner.memory, contextLength: runner.process.settings.contextLength };
};

it(
  "a chat goes over the cliff, fills memory with copies, and goes on with a larger window",
  { timeout: 120_000 },
  async () => {
    await vi.waitFor(() => expect(large().memory.kvCacheBytes).toBe(2 ** 30), WAIT);
    expect(large().contextLength).toBe(8192);
    const before = demo.machine.read();
    await vi.waitFor(() => expect(large().memory.promptCacheBytes).toBeGreaterThan(1.8 * 2 ** 30), WAIT);
    const growing = demo.machine.read();
    expect((before.headroomBytes ?? 0) - (growing.headroomBytes ?? 0)).toBeGreaterThan(1.5 * 2 ** 30);
    await vi.waitFor(() => expect(large().contextLength).toBe(16_384), WAIT);
    expect(large().memory.promptCacheBytes).toBe(0);
    expect(demo.machine.read().headroomBytes).toBeGreaterThan(2 * 2 ** 30);
  },
);

it("meanwhile others talk in every API, fight over a window, embed, and break answers off", () => {
  const requests = demo.upstream.requests();
  const targets = new Set(requests.map((request) => request.target));
  for (const target of [
    "/api/chat",
    "/api/generate",
    "/api/embed",
    "/api/tags",
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/responses",
  ]) {
    expect(targets).toContain(target);
  }
  expect(requests.some((request) => request.outcome === "left")).toBe(true);
  expect(requests.every((request) => request.outcome !== "cut")).toBe(true);
  const agents = new Set(requests.map((request) => userAgent(request.rawHeaders)));
  expect(
    [...agents].filter((agent) =>
      /^(?:Open WebUI|Continue|OpenAI|claude-cli|codex|ollama-python)/u.test(agent),
    ),
  ).toHaveLength(6);
  expect(demo.upstream.memory().runners.some((runner) => runner.process.pid > 5_000_004)).toBe(true);
});

it("gives the time in whole milliseconds, at its speed", async () => {
  const before = { now: demo.now(), monotonic: demo.monotonic() };
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(Number.isInteger(demo.now())).toBe(true);
  expect(demo.now() - before.now).toBeGreaterThan(40 * SPEED);
  expect(Math.abs(demo.now() - before.now - (demo.monotonic() - before.monotonic))).toBeLessThan(SPEED * 5);
});

it("stops at once and leaves nothing running", async () => {
  await chats.stop();
  const before = demo.upstream.requests().length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(demo.upstream.requests()).toHaveLength(before);
  await vi.waitFor(() =>
    expect(demo.upstream.requests().some((request) => request.outcome === "open")).toBe(false),
  );
});

it("begins again when the address does not answer", async () => {
  const lost = createDemo({ speed: 2000 });
  const { url } = await lost.upstream.listen();
  await lost.upstream.close();
  const failures = vi.fn();
  const log = { debug: failures, info: failures, warn: failures, error: failures };
  const unanswered = createDemo({ speed: 2000, log }).startChats(url);
  await vi.waitFor(() => expect(failures.mock.calls.length).toBeGreaterThan(10));
  await unanswered.stop();
});

function userAgent(rawHeaders: readonly string[]): string {
  return rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === "user-agent") + 1] ?? "";
}
