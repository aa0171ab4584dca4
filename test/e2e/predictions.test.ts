/** Each load and each exchange carries a prediction made before it ran, and what happened beside it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDemo } from "../../src/demo/demo.ts";
import type { Exchange, Load, MemoryEstimate } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

const TURNS = 8;
let url: string;
const seenWaiting: Exchange[] = [];

beforeAll(async () => {
  const demo = createDemo({ speed: 6, seed: 3 });
  const upstream = await demo.upstream.listen();
  onCleanUp(() => demo.upstream.close());
  const started = await startPlimsoll(upstream.url, {
    parts: { now: demo.now, monotonic: demo.monotonic, memorySource: () => demo.machine },
  });
  url = started.url;
  const live = new WebSocket(`${url.replace("http", "ws")}/plimsoll/live`);
  live.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as { type: string; exchange?: Exchange };
    if (message.exchange?.state.phase === "waiting" && message.exchange.prediction !== undefined) {
      seenWaiting.push(message.exchange);
    }
  };
  await new Promise((resolve) => (live.onopen = resolve));
  const messages: { role: string; content: string }[] = [];
  for (let turn = 1; turn <= TURNS; turn += 1) {
    messages.push({ role: "user", content: `Question ${turn}: ${"words and more words ".repeat(40)}` });
    const answer = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: JSON.stringify({
        model: "qwen2.5-coder:1.5b",
        messages,
        options: { num_ctx: 8192, num_predict: 30 },
      }),
    });
    await answer.text();
    messages.push({ role: "assistant", content: "An answer of some length. ".repeat(5) });
  }
  live.close();
}, 60_000);

afterAll(cleanUp);

async function get<Answer>(path: string): Promise<Answer> {
  return (await (await fetch(`${url}/plimsoll/api/${path}`)).json()) as Answer;
}

describe("an exchange", () => {
  it("carries its guess while it still waits, without any actual", () => {
    // Pages get at most four changes a second, so at this speed not each exchange is seen waiting.
    expect(seenWaiting.length).toBeGreaterThan(0);
    for (const { prediction } of seenWaiting) {
      expect(prediction?.inputTokens?.predicted).toBeGreaterThan(0);
      expect(prediction?.inputTokens).not.toHaveProperty("actual");
    }
  });

  it("has what happened beside the same guess at its end", async () => {
    const { exchanges } = await get<{ exchanges: Exchange[] }>("exchanges?operation=chat");
    expect(exchanges).toHaveLength(TURNS);
    const [last] = exchanges as [Exchange];
    const { inputTokens, prefillMs, decodeTokensPerSecond, contextTokensUsed } = last.prediction ?? {};
    expect(inputTokens).toMatchObject({ actual: last.usage?.inputTokens });
    expect(prefillMs?.actual).toBe(last.usage?.prefillMs);
    expect(decodeTokensPerSecond?.errorRatio).toBeTypeOf("number");
    expect(contextTokensUsed?.actual).toBe(last.contextTokensUsed);
    for (const earlier of seenWaiting) {
      const ended = exchanges.find(({ id }) => id === earlier.id);
      expect(ended?.prediction?.inputTokens?.predicted).toBe(earlier.prediction?.inputTokens?.predicted);
    }
    expect(Math.abs(inputTokens?.errorRatio ?? 1)).toBeLessThan(0.25);
  });
});

it("a load carries its estimate, the measured bytes and Ollama's claim", async () => {
  let load: Load | undefined;
  await waitFor(
    async () => {
      ({
        loads: [load],
      } = await get<{ loads: Load[] }>("loads"));
      return load?.measured !== undefined;
    },
    { timeoutMs: 20_000, everyMs: 100 },
  );
  expect(load?.predicted?.residentHostBytes).toBeGreaterThan(500 * 2 ** 20);
  expect(load?.predicted?.assumptions.map(({ name }) => name)).toContain("totalContextLength");
  expect(load?.claimedBytes).toBeGreaterThan(0);
  const measured = (load?.measured?.anonymousBytes ?? 0) + (load?.measured?.fileBytes ?? 0);
  expect(Math.abs((load?.predicted?.residentHostBytes ?? 0) / measured - 1)).toBeLessThan(0.15);
});

it("accuracy says n, median, p90 and bias, overall and per model, and the metrics say it too", async () => {
  const accuracy = await get<{
    overall: Record<
      string,
      { n: number; medianErrorRatio: number; p90ErrorRatio: number; biasRatio: number }
    >;
    models: { model: string }[];
  }>("accuracy");
  expect(accuracy.overall["inputTokens"]?.n).toBeGreaterThanOrEqual(TURNS - 1);
  expect(accuracy.overall["totalBytes"]?.n).toBe(1);
  expect(accuracy.models.map(({ model }) => model)).toContain("qwen2.5-coder:1.5b");
  const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
  expect(metrics).toMatch(/plimsoll_prediction_error_ratio\{[^}]*kind="inputTokens"[^}]*\} [\d.e-]+/);
});

it("forgets what it has learned when told to", async () => {
  const before = await get<{ calibration: unknown[] }>("accuracy");
  expect(before.calibration.length).toBeGreaterThan(0);
  const reset = await fetch(`${url}/plimsoll/api/calibration?model=qwen2.5-coder:1.5b`, { method: "DELETE" });
  expect(reset.status).toBe(200);
  expect((await get<{ calibration: unknown[] }>("accuracy")).calibration).toEqual([]);
});

describe("GET and POST /plimsoll/api/predict", () => {
  it("estimates a model that Ollama has, on this machine", async () => {
    const estimate = await get<MemoryEstimate>("predict?model=llama3.1:8b&contextLength=16384");
    // 2 · 32 layers · 8 heads · 128 · 2 bytes · 16384 cells: 2 GiB, not 1 as is often said.
    expect(estimate.kvCacheBytes.hostBytes).toBe(2 * 2 ** 30);
    expect(estimate.fit.verdict).toMatch(/fits|tight|overflows/);
    expect(estimate.fit.largestContextThatFits).toBeGreaterThan(0);
  });

  it("estimates a saved answer with model_info alone, without the parts that need tensors", async () => {
    const show = {
      model_info: {
        "general.architecture": "llama",
        "llama.block_count": 32,
        "llama.embedding_length": 4096,
        "llama.attention.head_count": 32,
        "llama.attention.head_count_kv": 8,
        "llama.context_length": 131072,
      },
    };
    const answer = await fetch(`${url}/plimsoll/api/predict`, {
      method: "POST",
      body: JSON.stringify({ show, totalContextLength: 32768, kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" }),
    });
    const estimate = (await answer.json()) as MemoryEstimate;
    expect(estimate.kvCacheBytes.hostBytes).toBe((4 * 2 ** 30 * 34) / 64);
    expect(estimate).not.toHaveProperty("weightsBytes");
    expect(estimate).not.toHaveProperty("totalBytes");
  });

  it("answers a what-if table", async () => {
    const answer = await fetch(`${url}/plimsoll/api/predict/table`, {
      method: "POST",
      body: JSON.stringify({ model: "llama3.1:8b", contexts: [8192, 32768], kvCacheTypes: ["f16", "q8_0"] }),
    });
    const { cells } = (await answer.json()) as { cells: { contextLength: number; kvCacheType: string }[] };
    expect(cells.map(({ contextLength, kvCacheType }) => [contextLength, kvCacheType])).toEqual([
      [8192, "f16"],
      [32768, "f16"],
      [8192, "q8_0"],
      [32768, "q8_0"],
    ]);
  });

  it.each<[string, string, number, RegExp]>([
    ["a model that is not there, with the near names", "model=llama3.2", 404, /llama3\.1:8b/],
    ["a cache type nobody has", "model=llama3.1:8b&kvCacheTypeK=q3", 400, /valid are f32, f16/],
    ["a context that is none", "model=llama3.1:8b&contextLength=-1", 400, /contextLength.*whole number/],
    ["no model at all", "contextLength=8192", 400, /"model"/],
    ["a parameter nobody knows", "model=llama3.1:8b&context=1", 400, /Unknown parameter "context"/],
  ])("says what is wrong with %s", async (_name, query, status, message) => {
    const answer = await fetch(`${url}/plimsoll/api/predict?${query}`);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: { message: string } }).error.message).toMatch(message);
  });

  it.each(["", "[]", '{"show":[]}', '{"show":{"model_info":{"general.architecture":null}}}', '{"model":{}}'])(
    "refuses the body %j with a reason",
    async (body) => {
      const answer = await fetch(`${url}/plimsoll/api/predict`, { method: "POST", body });
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { error: { message: string } }).error.message).toMatch(/\w+/);
    },
  );

  it("clips a context above the trained one and says so", async () => {
    const estimate = await get<MemoryEstimate>("predict?model=qwen2.5-coder:1.5b&contextLength=100000000");
    const { value } = estimate.assumptions.find(({ name }) => name === "contextLength") ?? {};
    expect(value).toMatch(/^32768/);
  });
});
