import { describe, expect, it } from "vitest";
import { createMetrics } from "../../src/dashboard/metrics.ts";
import type { Exchange, ExchangeState, Snapshot, Usage } from "../../src/types.ts";
import { aLiveExchange, anExchange, aSample, aSnapshot, fixedNow, health } from "./support.ts";

function metricsOf(overrides: Partial<Parameters<typeof createMetrics>[0]> = {}) {
  const metrics = createMetrics({
    version: "1.2.3",
    snapshot: () => aSnapshot(),
    recorder: () => health.recorder,
    observerFailures: () => ({}),
    reloads: () => [],
    predictionErrors: () => [],
    ...overrides,
  });
  return {
    end: (exchange: Exchange) => metrics.observer.onEnd?.(exchange),
    /** The value of one series, written as in the text; absent when it is not exported. */
    async value(series: string): Promise<number | undefined> {
      const { text } = await metrics.read();
      const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    async text(): Promise<string> {
      return (await metrics.read()).text;
    },
  };
}

const usage: Usage = {
  inputTokens: 1000,
  cachedInputTokens: 900,
  outputTokens: 50,
  queueMs: 100,
  loadMs: 2000,
  prefillMs: 300,
  decodeMs: 2500,
  provenance: "measured",
};

describe("traffic", () => {
  it("counts tokens by model, over several exchanges", async () => {
    const { end, value } = metricsOf();
    end(anExchange({ usage }));
    end(anExchange({ usage }));
    expect(await value('plimsoll_input_tokens_total{model="gemma3:4b"}')).toBe(2000);
    expect(await value('plimsoll_cached_input_tokens_total{model="gemma3:4b"}')).toBe(1800);
    expect(await value('plimsoll_output_tokens_total{model="gemma3:4b"}')).toBe(100);
    expect(await value('plimsoll_request_input_tokens_sum{model="gemma3:4b"}')).toBe(2000);
  });

  it("converts durations to seconds and keeps each phase apart", async () => {
    const { end, value } = metricsOf();
    end(anExchange({ usage }));
    const model = '{model="gemma3:4b"}';
    expect(await value(`plimsoll_time_to_first_token_seconds_sum${model}`)).toBe(1);
    expect(await value(`plimsoll_time_per_output_token_seconds_sum${model}`)).toBe(0.05);
    expect(await value(`plimsoll_request_queue_time_seconds_sum${model}`)).toBe(0.1);
    expect(await value(`plimsoll_request_load_time_seconds_sum${model}`)).toBe(2);
    expect(await value(`plimsoll_request_prefill_time_seconds_sum${model}`)).toBe(0.3);
    expect(await value(`plimsoll_request_decode_time_seconds_sum${model}`)).toBe(2.5);
    expect(await value('plimsoll_request_duration_seconds_sum{model="gemma3:4b",operation="chat"}')).toBe(3);
  });

  it("has buckets for an answer that takes an hour", async () => {
    const { end, text } = metricsOf();
    end(anExchange({ startedAt: fixedNow - 3_000_000 }));
    expect(await text()).toContain(
      'plimsoll_request_duration_seconds_bucket{le="3600",model="gemma3:4b",operation="chat"} 1',
    );
    expect(await text()).toContain('{le="1800",model="gemma3:4b",operation="chat"} 0');
  });

  it.each<[ExchangeState, string]>([
    [{ phase: "completed", endedAt: fixedNow }, "completed"],
    [{ phase: "cancelled", endedAt: fixedNow }, "cancelled"],
    [{ phase: "failed", endedAt: fixedNow, error: { code: "x", message: "y" } }, "failed"],
  ])("counts the outcome of %j", async (state, outcome) => {
    const { end, value } = metricsOf();
    end(anExchange());
    end(anExchange({ state }));
    const series = `plimsoll_requests_total{model="gemma3:4b",operation="chat",dialect="ollama",outcome="${outcome}"}`;
    expect(await value(series)).toBe(outcome === "completed" ? 2 : 1);
  });

  it("does not count what an exchange does not know, but counts a 0 that Ollama sent", async () => {
    const { end, text, value } = metricsOf();
    end(
      anExchange({
        usage: { outputTokens: 0, provenance: "measured" },
        state: { phase: "completed", endedAt: fixedNow },
      }),
    );
    expect(await text()).not.toMatch(
      /plimsoll_(input_tokens_total|time_to_first_token_seconds|time_per_output_token)\S*\{/,
    );
    expect(await value('plimsoll_output_tokens_total{model="gemma3:4b"}')).toBe(0);
  });

  it("never goes backwards when a clock was set back during an exchange", async () => {
    const { end, value } = metricsOf();
    end(anExchange({ startedAt: fixedNow + 60_000 }));
    expect(await value('plimsoll_request_duration_seconds_sum{model="gemma3:4b",operation="chat"}')).toBe(0);
  });

  it("counts notices by kind", async () => {
    const { end, value } = metricsOf();
    end(anExchange({ notices: [{ kind: "truncated", tokensLost: 100 }, { kind: "reloaded" }] }));
    expect(await value('plimsoll_notices_total{kind="truncated"}')).toBe(1);
  });
});

describe("labels", () => {
  it("keep 64 models apart and put the rest together", async () => {
    const { end, text, value } = metricsOf();
    for (let number = 0; number < 100; number += 1) end(anExchange({ model: `model-${number}`, usage }));
    const labels = new Set(
      [...(await text()).matchAll(/input_tokens_total\{model="([^"]+)"/g)].map((match) => match[1]),
    );
    expect(labels.size).toBe(65);
    expect(await value('plimsoll_input_tokens_total{model="other"}')).toBe(36_000);
  });

  it("are not spent on names that no model answered to", async () => {
    const { end, text } = metricsOf();
    const state: ExchangeState = { phase: "failed", endedAt: fixedNow, error: { code: "x", message: "y" } };
    for (let number = 0; number < 100; number += 1) end(anExchange({ model: `guess-${number}`, state }));
    end(anExchange({ model: "real" }));
    expect(await text()).toContain('model="real"');
    expect(await text()).not.toContain("guess-");
  });

  it("are escaped and cut", async () => {
    const { end, text } = metricsOf();
    end(anExchange({ model: `a"b\\c\nd${"x".repeat(10_000)}` }));
    const lines = (await text()).split("\n").filter((line) => line.startsWith("plimsoll_requests_total{"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('model="a\\"b\\\\c\\nd');
    expect(lines[0]?.length).toBeLessThan(400);
  });

  it("say none where a request names no model", async () => {
    const { end, value } = metricsOf();
    end(anExchange({ model: undefined, operation: "other", dialect: "none" }));
    const series =
      'plimsoll_requests_total{model="none",operation="other",dialect="none",outcome="completed"}';
    expect(await value(series)).toBe(1);
  });
});

describe("gauges", () => {
  const runner = {
    pid: 1,
    model: "gemma3:4b",
    anonymousBytes: 300,
    fileBytes: 20,
    sharedBytes: 0,
    swappedBytes: 7,
  };

  it("show the last sample", async () => {
    const sample = aSample({
      headroomBytes: -5,
      availableBytes: 10,
      swapOutBytesPerSecond: 0,
      runners: [runner],
    });
    const { value } = metricsOf({ snapshot: () => aSnapshot({ sample }) });
    expect(await value("plimsoll_headroom_bytes")).toBe(-5);
    expect(await value("plimsoll_memory_available_bytes")).toBe(10);
    expect(await value("plimsoll_swap_out_bytes_per_second")).toBe(0);
    expect(await value('plimsoll_runner_memory_bytes{model="gemma3:4b",kind="anonymous"}')).toBe(300);
    expect(await value('plimsoll_runner_memory_bytes{model="gemma3:4b",kind="swapped"}')).toBe(7);
  });

  it("add up runners of one model", async () => {
    const sample = aSample({ runners: [runner, { ...runner, pid: 2 }] });
    const { value } = metricsOf({ snapshot: () => aSnapshot({ sample }) });
    expect(await value('plimsoll_runner_memory_bytes{model="gemma3:4b",kind="file"}')).toBe(40);
  });

  it("export nothing that is not known, not even 0", async () => {
    const { value, text } = metricsOf({ snapshot: () => aSnapshot() });
    expect(await value("plimsoll_headroom_bytes")).toBeUndefined();
    expect(await text()).not.toMatch(/^plimsoll_runner_memory_bytes\{/m);
  });

  it("forget a runner that has ended and a source that went away", async () => {
    let snapshot: Snapshot = aSnapshot({ sample: aSample({ headroomBytes: 5, runners: [runner] }) });
    const { value } = metricsOf({ snapshot: () => snapshot });
    expect(await value("plimsoll_headroom_bytes")).toBe(5);
    snapshot = aSnapshot();
    expect(await value("plimsoll_headroom_bytes")).toBeUndefined();
    expect(await value('plimsoll_runner_memory_bytes{model="gemma3:4b",kind="anonymous"}')).toBeUndefined();
  });

  it("show how full the context of each loaded model is, until it is unloaded", async () => {
    let models = [{ name: "gemma3:4b" }];
    const { end, value } = metricsOf({ snapshot: () => aSnapshot({ models }) });
    end(anExchange({ contextLength: 8192, contextTokensUsed: 4096 }));
    expect(await value('plimsoll_context_used_ratio{model="gemma3:4b"}')).toBe(0.5);
    models = [];
    expect(await value('plimsoll_context_used_ratio{model="gemma3:4b"}')).toBeUndefined();
  });

  it("tell running from waiting", async () => {
    const exchanges = [
      aLiveExchange(),
      aLiveExchange({ state: { phase: "waiting", stage: "prefill" } }),
      aLiveExchange({ state: { phase: "waiting", stage: "queued" } }),
      anExchange(),
    ];
    const { value } = metricsOf({ snapshot: () => aSnapshot({ exchanges }) });
    expect(await value("plimsoll_requests_running")).toBe(2);
    expect(await value("plimsoll_requests_waiting")).toBe(1);
  });

  it("carry what was lost on our side", async () => {
    const { value } = metricsOf({
      recorder: () => ({ state: "on", pending: 3, dropped: 7 }),
      observerFailures: () => ({ recorder: 2 }),
      reloads: () => [{ cause: "options", count: 14, seconds: 36.5 }],
    });
    expect(await value('plimsoll_reloads_total{cause="options"}')).toBe(14);
    expect(await value('plimsoll_reload_seconds_total{cause="options"}')).toBe(36.5);
    expect(await value("plimsoll_recorder_dropped_total")).toBe(7);
    expect(await value("plimsoll_recorder_dropped_total")).toBe(7);
    expect(await value("plimsoll_recorder_pending")).toBe(3);
    expect(await value('plimsoll_observer_failures_total{observer="recorder"}')).toBe(2);
    expect(await value('plimsoll_build_info{version="1.2.3"}')).toBe(1);
  });
});
