/** Any order of requests, pauses and contexts against a small model of Ollama that knows why it loads. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Load } from "../../src/types.ts";
import { replay, type Scenario, type SeenRunner } from "./replayLoads.ts";

const MODEL = "m:latest";
const USUAL_CONTEXT = 4096;
const KEEP_ALIVE_MS = 300_000;
const LOAD_MS = 1200;
const ANSWER_MS = 300;
const LIST_MS = 5000;

interface Step {
  context?: number;
  pauseMs: number;
}

interface World {
  scenario: Scenario;
  seen: SeenRunner[];
  truth: { cause: string; request: number; context: number }[];
}

/** One request after the other; Ollama loads for another context, and when five minutes have passed. */
function live(steps: readonly Step[]): World {
  const world: World = { scenario: { loadedBefore: [], requests: [], lists: [] }, seen: [], truth: [] };
  let now = 10_000;
  let usedAt = Number.NEGATIVE_INFINITY;
  for (const [request, { context, pauseMs }] of steps.entries()) {
    now += pauseMs;
    const runner = world.seen.at(-1);
    const wanted = context ?? USUAL_CONTEXT;
    const expired = now - usedAt > KEEP_ALIVE_MS;
    const loads = runner === undefined || expired || runner.settings.contextLength !== wanted;
    if (loads) {
      if (runner !== undefined) {
        runner.to = expired ? usedAt + KEEP_ALIVE_MS : now + 50;
      }
      const settings = { contextLength: wanted, totalContextLength: wanted, parallel: 1 };
      world.seen.push({ model: MODEL, from: now + 60, to: Number.POSITIVE_INFINITY, settings });
      const cause = runner === undefined ? "first" : expired ? "expired" : "options";
      world.truth.push({ cause, request, context: wanted });
    }
    const endedAt = now + (loads ? LOAD_MS : 0) + ANSWER_MS;
    world.scenario.requests.push({
      startedAt: now,
      endedAt,
      operation: "generate",
      dialect: "ollama",
      path: "/api/generate",
      model: MODEL,
      status: 200,
      ...(context !== undefined && { options: { num_ctx: context } }),
      loadMs: loads ? LOAD_MS : 2,
      contextTokensUsed: 100,
    });
    usedAt = endedAt;
    now = endedAt;
  }
  for (let at = 0; at <= now + LIST_MS; at += LIST_MS) {
    const runner = world.seen.find(({ from, to }) => from + LOAD_MS <= at && at < to);
    const last = world.scenario.requests.findLast(({ endedAt }) => endedAt <= at);
    world.scenario.lists.push({
      at,
      models:
        runner === undefined
          ? []
          : [
              {
                name: MODEL,
                contextLength: runner.settings.contextLength ?? 0,
                sizeBytes: 1,
                expiresAt: Math.max(last?.endedAt ?? 0, runner.from) + KEEP_ALIVE_MS,
              },
            ],
    });
  }
  return world;
}

const steps = fc.array(
  fc.record(
    {
      context: fc.constantFrom(2048, 8192, 32_768),
      pauseMs: fc.constantFrom(20, 400, 3000, 20_000, 400_000),
    },
    { requiredKeys: ["pauseMs"] },
  ),
  { minLength: 1, maxLength: 12 },
);

function told(loads: readonly Load[]): unknown[] {
  return loads.map(({ cause, exchangeId, loadMs }) => ({ cause, exchangeId, loadMs }));
}

function asItWas({ truth }: World): unknown[] {
  return truth.map(({ cause, request }) => ({ cause, exchangeId: `exchange-${request}`, loadMs: LOAD_MS }));
}

it("where runners are seen, every load is found, none invented, each with its cause and its request", () => {
  fc.assert(
    fc.property(steps, (all) => {
      const world = live(all);
      const loads = replay(world.scenario, world.seen);
      expect(told(loads)).toEqual(asItWas(world));
      for (const [index, load] of loads.entries()) {
        const before = world.truth[index - 1]?.context;
        const context = world.truth[index]?.context;
        if (before !== undefined && before !== context) {
          expect(load.differences).toEqual([
            { option: "num_ctx", from: String(before), to: String(context) },
          ]);
        }
      }
    }),
    { numRuns: 500 },
  );
});

it("where only lists and answers tell, so are those of 99 in 100 such days", () => {
  // A list that was made while one runner took the place of another can be read both ways.
  const days = fc.sample(steps, { numRuns: 2000, seed: 4 }).map((all) => live(all));
  const exact = days.filter((world) => {
    const loads = replay(world.scenario);
    return JSON.stringify(told(loads)) === JSON.stringify(asItWas(world));
  });
  expect(exact.length / days.length).toBeGreaterThan(0.99);
});
