/** Three requests at once for one slot: the wait for a slot is told apart from the prompt. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDemo } from "../../src/demo/demo.ts";
import type { Exchange } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

const SPEED = 4;
let exchanges: Exchange[] = [];

beforeAll(async () => {
  const demo = createDemo({ speed: SPEED, seed: 2 });
  const upstream = await demo.upstream.listen();
  onCleanUp(() => demo.upstream.close());
  const { url } = await startPlimsoll(upstream.url, {
    parts: { now: demo.now, monotonic: demo.monotonic, memorySource: () => demo.machine },
  });
  const ask = async (path: string, body: object): Promise<void> => {
    await (await fetch(`${url}${path}`, { method: "POST", body: JSON.stringify(body) })).text();
  };
  const model = "qwen2.5-coder:1.5b";
  const messages = [{ role: "user", content: "How deep may a ship lie in the water?" }];
  const chat = { model, messages, options: { num_predict: 60 } };
  await ask("/api/chat", chat);
  await Promise.all([
    ask("/api/chat", chat),
    ask("/api/chat", chat),
    ask("/v1/chat/completions", { model, messages, max_tokens: 60, stream: true }),
  ]);
  await waitFor(async () => {
    const answer = await fetch(`${url}/plimsoll/api/exchanges?operation=chat`);
    ({ exchanges } = (await answer.json()) as { exchanges: Exchange[] });
    return exchanges.length === 4 && exchanges.every(({ state }) => "endedAt" in state);
  });
  exchanges = exchanges.toSorted((left, right) => left.startedAt - right.startedAt);
}, 60_000);

afterAll(cleanUp);

describe("of exchanges that share a slot", () => {
  const waited = (): number[] => exchanges.map(({ usage }) => usage?.queueMs ?? 0).toSorted((a, b) => a - b);

  it("the first of all and the first of three wait for none, the others longer and longer", () => {
    const [none, first, second = 0, third = 0] = waited();
    expect([none, first]).toEqual([0, 0]);
    expect(second).toBeGreaterThan(250);
    expect(third).toBeGreaterThan(1.5 * second);
  });

  it("whoever waited is told, and how long", () => {
    const told = exchanges.filter(({ notices }) => notices.some(({ kind }) => kind === "queued"));
    expect(told).toHaveLength(2);
    for (const { notices, usage } of told) {
      const ms = notices.find(({ kind }) => kind === "queued")?.ms;
      expect(Math.abs((ms ?? 0) - (usage?.queueMs ?? -1))).toBeLessThan(1);
    }
  });

  it("the prompt's own time is not part of it", () => {
    for (const { usage } of exchanges) {
      expect(usage?.prefillMs ?? 0).toBeLessThan(waited()[2] ?? 0);
    }
  });
});
