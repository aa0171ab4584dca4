/** Each load says why it happened, who made it happen and what it cost, and whoever waited for it is told. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClock } from "../../src/demo/clock.ts";
import { createScriptedMachine } from "../../src/demo/scriptedMachine.ts";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import type { Advice, Exchange, Load } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

const MODEL = "qwen2.5-coder:1.5b";
const SPEED = 5;

interface Rig {
  upstream: SimulatedOllama;
  url: string;
  ask(
    client: string,
    body: { model?: string; num_ctx?: number; keep_alive?: string | number; text?: string; num_gpu?: number },
  ): Promise<string>;
  /** Oldest first, once none is still to be explained. */
  loads(count: number): Promise<Load[]>;
  exchanges(): Promise<Exchange[]>;
  metrics(): Promise<string>;
}

async function rig(sight: "runners are seen" | "only /api/ps"): Promise<Rig> {
  const clock = createClock({ speed: SPEED });
  const upstream = createSimulatedOllama({ clock, seed: 7 });
  const listening = await upstream.listen();
  onCleanUp(() => upstream.close());
  const machine = createScriptedMachine({ clock, runners: () => upstream.memory().runners });
  const { url } = await startPlimsoll(listening.url, {
    parts: {
      now: () => Math.round(clock.now()),
      monotonic: clock.monotonic,
      ...(sight === "runners are seen" && { memorySource: () => machine }),
    },
  });
  const get = async (path: string): Promise<string> => (await fetch(`${url}/plimsoll/${path}`)).text();
  const loads = async (): Promise<Load[]> =>
    (JSON.parse(await get("api/loads")) as { loads: Load[] }).loads.toReversed();
  return {
    upstream,
    url,
    async ask(client, { model = MODEL, text = "Say something.", keep_alive, ...options }) {
      const answer = await fetch(`${url}/api/chat`, {
        method: "POST",
        headers: { "User-Agent": `${client}/1.0` },
        body: JSON.stringify({
          model,
          messages: [{ role: "user", content: text }],
          ...(keep_alive !== undefined && { keep_alive }),
          options: { num_predict: 8, ...options },
        }),
      });
      return answer.text();
    },
    async loads(count) {
      let found: Load[] = [];
      await waitFor(
        async () => {
          found = await loads();
          return found.length >= count && found.every(({ endedAt, loadMs }) => endedAt && loadMs);
        },
        { timeoutMs: 15_000, everyMs: 50 },
      ).catch(() => undefined);
      return found;
    },
    exchanges: async () =>
      (
        JSON.parse(await get("api/exchanges?operation=chat")) as { exchanges: Exchange[] }
      ).exchanges.toReversed(),
    metrics: () => get("metrics"),
  };
}

afterAll(cleanUp);

describe.each(["runners are seen", "only /api/ps"] as const)(
  "two clients with another num_ctx each, %s",
  (sight) => {
    let tested: Rig;
    const ROUNDS = 3;
    beforeAll(async () => {
      tested = await rig(sight);
      for (let round = 0; round < ROUNDS; round += 1) {
        await tested.ask("continue", { num_ctx: 8192, text: "a long question ".repeat(100) });
        await tested.ask("home-assistant", { num_ctx: 4096 });
      }
    }, 60_000);

    it("each load but the first was forced by the other client, and is told with both contexts", async () => {
      const loads = await tested.loads(2 * ROUNDS);
      expect(loads.map(({ cause }) => cause)).toEqual(["first", ...Array(2 * ROUNDS - 1).fill("options")]);
      for (const [index, load] of loads.entries()) {
        const [client, other] =
          index % 2 === 0 ? ["continue", "home-assistant"] : ["home-assistant", "continue"];
        expect(load.client).toBe(client);
        if (index > 0) {
          expect(load.previousClient).toBe(other);
          expect(load.differences).toEqual([
            index % 2 === 0
              ? { option: "num_ctx", from: "4096", to: "8192" }
              : { option: "num_ctx", from: "8192", to: "4096" },
          ]);
        }
      }
    });

    it("with the seconds that Ollama itself says, and the state that was thrown away", async () => {
      const loads = await tested.loads(2 * ROUNDS);
      const exchanges = await tested.exchanges();
      for (const load of loads) {
        const exchange = exchanges.find(({ id }) => id === load.exchangeId);
        expect(load.loadMs).toBe(exchange?.usage?.loadMs);
      }
      const afterLongPrompt = loads[1];
      const stateBytes = (exchanges[0]?.contextTokensUsed ?? 0) * 28 * 1024;
      expect(stateBytes).toBeGreaterThan(4 * 2 ** 20);
      if (sight === "only /api/ps") {
        expect(afterLongPrompt?.lostBytes).toBe(stateBytes);
      } else {
        // And what the runner is seen to have grown by.
        expect(afterLongPrompt?.lostBytes).toBeGreaterThanOrEqual(stateBytes);
      }
    });

    it("and whoever waited is told, with what would have spared it", async () => {
      await tested.loads(2 * ROUNDS);
      const exchanges = await tested.exchanges();
      expect(exchanges[0]?.notices.filter(({ kind }) => kind === "reloaded")).toEqual([]);
      for (const { notices, usage } of exchanges.slice(1)) {
        const [notice, ...more] = notices.filter(({ kind }) => kind === "reloaded");
        expect(more).toEqual([]);
        expect(notice?.ms).toBe(usage?.loadMs);
        expect(notice?.message).toMatch(/num_ctx (4096 → 8192|8192 → 4096), asked for by/);
        expect(notice?.remedies?.[0]?.text).toMatch(
          /^Set num_ctx to 8192 in both (continue and home-assistant|home-assistant and continue) for qwen2\.5-coder:1\.5b/,
        );
      }
      expect(await tested.metrics()).toContain(`plimsoll_reloads_total{cause="options"} ${2 * ROUNDS - 1}`);
    });

    it("and advice has the sum of it, and the one context that ends it", async () => {
      const loads = (await tested.loads(2 * ROUNDS)).slice(1);
      const answer = await fetch(`${tested.url}/plimsoll/api/advice`);
      const { advice } = (await answer.json()) as { advice: Advice[] };
      const fight = advice.find(({ kind }) => kind === "fight");
      expect(fight).toMatchObject({ model: MODEL, clients: ["continue", "home-assistant"] });
      expect(fight?.savesMs).toBe(Math.round(loads.reduce((sum, { loadMs = 0 }) => sum + loadMs, 0)));
      expect(fight?.text).toContain(`it was loaded again ${2 * ROUNDS - 1} times`);
      expect(fight?.remedies[0]?.id).toBe("agree-on-context:8192");
    });
  },
);

describe.each(["runners are seen", "only /api/ps"] as const)("%s:", (sight) => {
  it("a model that was unloaded for want of requests is told from one that a client changed", async () => {
    const tested = await rig(sight);
    await tested.ask("continue", { num_ctx: 4096, keep_alive: "4s" });
    await waitFor(() => tested.upstream.memory().runners.length === 0, {
      timeoutMs: 10_000,
      everyMs: 20,
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await tested.ask("continue", { num_ctx: 4096 });
    const loads = await tested.loads(2);
    expect(loads.map(({ cause }) => cause)).toEqual(["first", "expired"]);
    const [notice] = (await tested.exchanges()).at(-1)?.notices ?? [];
    expect(notice).toMatchObject({ kind: "reloaded" });
    expect(notice?.message).toContain("keep_alive");
    expect(notice?.remedies?.[0]?.id).toBe("keep-alive:30m");
  }, 40_000);

  it("a runner that died in the middle of an answer is a crash", async () => {
    const tested = await rig(sight);
    await tested.ask("continue", { num_ctx: 4096 });
    tested.upstream.setScript([
      {
        when: { path: "/api/chat", nth: 1 },
        override: {
          failAfterChunks: {
            chunks: 3,
            message: "an error was encountered while running the model: unexpected EOF",
          },
          killRunner: true,
        },
      },
    ]);
    await tested.ask("continue", { num_ctx: 4096 });
    await tested.ask("continue", { num_ctx: 4096 });
    const loads = await tested.loads(2);
    expect(loads.map(({ cause }) => cause)).toEqual(["first", "crashed"]);
    const [notice] = (await tested.exchanges()).at(-1)?.notices ?? [];
    expect(notice?.message).toContain("its runner had died");
    expect(notice?.remedies?.[0]?.commands.map(({ platform }) => platform)).toContain("docker");
  }, 40_000);

  it("another option than the context is named by the name that the client sent", async () => {
    const tested = await rig(sight);
    await tested.ask("aider", { num_ctx: 4096 });
    await tested.ask("zed", { num_ctx: 4096, num_gpu: 7 });
    const loads = await tested.loads(2);
    expect(loads[1]).toMatchObject({
      cause: "options",
      differences: [{ option: "num_gpu", to: "7" }],
      client: "zed",
      previousClient: "aider",
    });
    const [notice] = (await tested.exchanges()).at(-1)?.notices ?? [];
    expect(notice?.message).toContain("num_gpu unset → 7, asked for by zed after aider");
    expect(notice?.remedies?.[0]?.id).toBe("agree-on:num_gpu");
  }, 40_000);

  it("a model that made room for another is told from one that was not needed", async () => {
    const tested = await rig(sight);
    for (const model of [MODEL, "gemma3:270m", "gemma3:4b", "llama3.1:8b", MODEL]) {
      await tested.ask("continue", { model, num_ctx: 2048 });
    }
    const loads = await tested.loads(5);
    expect(loads.map(({ model, cause }) => [model, cause])).toEqual([
      [MODEL, "first"],
      ["gemma3:270m", "first"],
      ["gemma3:4b", "first"],
      ["llama3.1:8b", "first"],
      [MODEL, "evicted"],
    ]);
    const [notice] = (await tested.exchanges()).at(-1)?.notices ?? [];
    expect(notice?.message).toContain("it had made room for another model");
  }, 40_000);
});
