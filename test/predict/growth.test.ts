/** The memory of a real runner that distinct long prompts fill until it swaps: each turn's growth said beforehand. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { median } from "../../src/predict/quantile.ts";
import { createRunnerGrowth } from "../../src/predict/growth.ts";

const MIB = 2 ** 20;
const KIB = 1024;
const LLAMA = { fullBytesPerToken: 32 * KIB, slidingBytesPerToken: 0, windowTokens: 0, fixedBytes: 0 };

function rows<Row>(name: string): Row[] {
  const file = new URL(`../fixtures/swap-captures/${name}.jsonl`, import.meta.url);
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

interface Request {
  kind: string;
  conversation?: number;
  t_start_ms: number;
  t_end_ms: number;
  prompt_eval_count: number;
  eval_count: number;
}

interface Sample {
  t_ms: number;
  runners: { RssAnon?: number; VmSwap?: number }[];
}

function bytesAt(samples: readonly Sample[], ms: number): number {
  const [runner] = samples.find(({ t_ms, runners }) => t_ms >= ms && runners.length > 0)?.runners ?? [];
  return ((runner?.RssAnon ?? 0) + (runner?.VmSwap ?? 0)) * KIB;
}

describe("eleven conversations, one after the other, in 1480 MiB", () => {
  const samples = rows<Sample>("promptcache-1480.samples");
  const requests = rows<Request>("promptcache-1480.requests");
  const load = requests.find(({ kind }) => kind === "load");
  const growth = createRunnerGrowth({
    cost: LLAMA,
    slots: 1,
    promptCacheLimitBytes: 8192 * MIB,
    computeBytes: 56 * MIB,
    atLoadBytes: bytesAt(samples, (load?.t_end_ms ?? 0) + 2000),
  });
  const held = new Map<number | undefined, number>();
  const scored = requests
    .filter(({ kind }) => kind === "chat")
    .map(({ conversation, prompt_eval_count: inputTokens, eval_count: outputTokens, t_end_ms }) => {
      const sharedTokens = held.get(conversation) ?? 0;
      const prompt = { conversation: `${conversation}`, inputTokens, sharedTokens };
      growth.ran(prompt, outputTokens, growth.expectedBytes(prompt));
      held.set(conversation, inputTokens + outputTokens - 1);
      return growth.measured(bytesAt(samples, t_end_ms + 200));
    });

  it("grows by each of them as was said, within 5 % in the middle and 10 % always", () => {
    const errors = scored.flatMap((made) =>
      made?.errorRatio === undefined ? [] : [Math.abs(made.errorRatio)],
    );
    expect(errors.length).toBeGreaterThanOrEqual(8);
    expect(median(errors)).toBeLessThan(0.05);
    expect(Math.max(...errors)).toBeLessThan(0.1);
  });

  it("grows by next to nothing when they come back: a copy is given up for each that is made", () => {
    const back = scored.slice(-3).map((made) => made?.actual ?? Number.NaN);
    expect(back.every((bytes) => Math.abs(bytes) < 4 * MIB)).toBe(true);
  });

  it("is explained but for a few MiB, in one line", () => {
    const { sinceLoadBytes, parts, promptCacheBytes = 0, text } = growth.now();
    const explained = parts.reduce((sum, { name, bytes }) => sum + (name === "unexplained" ? 0 : bytes), 0);
    expect(sinceLoadBytes - explained).toBeLessThan(8 * MIB);
    expect(promptCacheBytes / sinceLoadBytes).toBeGreaterThan(0.85);
    expect(text).toMatch(
      /^\d+ MiB more since its load: \d+ MiB copies of earlier prompts \(of at most 8\.0 GiB\)/,
    );
  });
});

it("a runner that has not grown says so", () => {
  const growth = createRunnerGrowth({
    cost: LLAMA,
    slots: 1,
    promptCacheLimitBytes: 0,
    computeBytes: 0,
    atLoadBytes: 100 * MIB,
  });
  expect(growth.now()).toMatchObject({
    sinceLoadBytes: 0,
    parts: [],
    text: "It has not grown since its load.",
  });
});
