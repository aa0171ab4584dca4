/** The guard, when the user has turned it on, in front of a simulated Ollama on a machine whose memory is recorded. */
import { afterEach, describe, expect, it } from "vitest";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { createReplaySource } from "../../src/memory/replay.ts";
import type { Episode, Exchange, Load, MemorySample } from "../../src/types.ts";
import { keepingLog } from "../alerts/channels/support.ts";
import { cleanUp, onCleanUp, startPlimsoll, type Started } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const GIB = 2 ** 30;
const MODEL = "llama3.1:8b";

/** A quiet machine: the same readings for two minutes. */
function recordedMemory(headroomBytes: number) {
  const samples: MemorySample[] = Array.from({ length: 600 }, (_, index) => ({
    takenAt: index * 200,
    totalBytes: 16 * GIB,
    availableBytes: headroomBytes + GIB / 2,
    headroomBytes,
    floorBytes: GIB / 2,
    gpus: [],
    runners: [],
    problems: [],
  }));
  return createReplaySource({
    samples,
    name: "tight",
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
}

interface Guarded extends Started {
  ollama: SimulatedOllama;
  log: ReturnType<typeof keepingLog>;
  post(path: string, body: object | string, headers?: Record<string, string>): Promise<Response>;
  chat(options: object, headers?: Record<string, string>): Promise<Response>;
  /** The body of the last inference request that Ollama received. */
  lastBody(): string;
  inferenceCount(): number;
  lastExchange(): Promise<Exchange>;
}

async function start(mode: string, headroomBytes: number, settings: object = {}): Promise<Guarded> {
  const ollama = createSimulatedOllama({ instant: true, keepBodies: true });
  const { url } = await ollama.listen();
  onCleanUp(() => ollama.close());
  const log = keepingLog();
  const started = await startPlimsoll(url, {
    settings: {
      guard: { mode },
      sampling: { intervalMs: 250 },
      alerts: { channels: [{ type: "log" }] },
      ...settings,
    },
    parts: { memorySource: () => recordedMemory(headroomBytes), log },
  });
  await waitFor(() => started.app.snapshot().sample !== undefined);
  const post = (path: string, body: object | string, headers?: Record<string, string>) =>
    fetch(`${started.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const inferences = () =>
    ollama.requests().filter(({ target }) => /^\/(api\/(chat|generate|embed)|v1\/)/.test(target));
  return {
    ...started,
    ollama,
    log,
    post,
    chat: (options, headers) =>
      post(
        "/api/chat",
        { model: MODEL, messages: [{ role: "user", content: "hi" }], stream: false, options },
        headers,
      ),
    lastBody: () => Buffer.from(inferences().at(-1)?.body ?? "").toString(),
    inferenceCount: () => inferences().length,
    async lastExchange() {
      let exchange: Exchange | undefined;
      await waitFor(async () => {
        [exchange] = (await started.store.exchanges({})).exchanges.filter(
          ({ operation, state }) => operation !== "other" && "endedAt" in state,
        );
        return exchange !== undefined;
      });
      return exchange as Exchange;
    },
  };
}

/** Plimsoll has heard that this context of the model is loaded. */
async function untilLoaded(guarded: Guarded, contextLength: number): Promise<void> {
  await waitFor(() => guarded.app.snapshot().models.some((model) => model.contextLength === contextLength));
}

describe("off", () => {
  it("is the default, holds nothing back and changes nothing", async () => {
    const guarded = await start("off", GIB);
    const body = `{"model":"${MODEL}","messages":[{"role":"user","content":"hi"}],"options":{"num_ctx":131072},"stream":false}`;
    const answer = await guarded.post("/api/chat", body, { "x-plimsoll-override": "allow" });
    expect(answer.status).toBe(200);
    expect(answer.headers.has("x-plimsoll-guard")).toBe(false);
    expect(guarded.lastBody()).toBe(body);
    const request = guarded.ollama.requests().findLast(({ target }) => target === "/api/chat");
    expect(JSON.stringify(request?.rawHeaders).toLowerCase()).toContain("x-plimsoll-override");
    expect((await guarded.lastExchange()).notices.map(({ kind }) => kind)).not.toContain("would-swap");
  });
});

describe("observe and warn", () => {
  it.each(["observe", "warn"])("%s forwards at once and puts a notice on the exchange", async (mode) => {
    const guarded = await start(mode, 6 * GIB);
    const answer = await guarded.chat({ num_ctx: 131_072 });
    expect(answer.status).toBe(200);
    expect(answer.headers.has("x-plimsoll-guard")).toBe(false);
    await answer.text();
    await waitFor(async () => (await guarded.lastExchange()).notices.length > 0);
    const [notice] = (await guarded.lastExchange()).notices;
    expect(notice?.kind).toBe("would-swap");
    expect(notice?.message).toMatch(/needs \d+\.\d GiB, and 6\.0 GiB are free/);
    expect(notice?.bytes).toBeGreaterThan(10 * GIB);
    expect(notice?.contextLength).toBeGreaterThan(0);
    expect(notice?.remedies?.length).toBeGreaterThan(0);
    await waitFor(() => guarded.log.lines.some((line) => line.includes("memory will run short")));
  });

  it("the alert about the load is kept, with the model among its causes", async () => {
    const guarded = await start("warn", 6 * GIB);
    await (await guarded.chat({ num_ctx: 131_072 })).text();
    let episode: Episode | undefined;
    await waitFor(async () => {
      [episode] = (await guarded.store.episodes({})).episodes;
      return episode !== undefined;
    });
    expect(JSON.stringify(episode)).toContain(MODEL);
    expect(episode?.level).toBe("warn");
  });
});

describe("refuse", () => {
  it.each([
    ["/api/chat", { messages: [{ role: "user", content: "hi" }] }, (error: unknown) => error],
    ["/api/generate", { prompt: "hi" }, (error: unknown) => error],
    ["/api/generate", {}, (error: unknown) => error],
    [
      "/v1/chat/completions",
      { messages: [{ role: "user", content: "hi" }] },
      (error: { message: string }) => error.message,
    ],
    ["/v1/responses", { input: "hi" }, (error: { message: string }) => error.message],
    [
      "/v1/messages",
      { max_tokens: 5, messages: [{ role: "user", content: "hi" }] },
      (error: { message: string }) => error.message,
    ],
  ])("%s %j: 503 in the client's words, and Ollama never hears of it", async (path, body, messageOf) => {
    const guarded = await start("refuse", 2 * GIB);
    const answer = await guarded.post(path, { model: MODEL, ...body });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-plimsoll-guard")).toBe("refused");
    const said = (await answer.json()) as { type?: string; error: never };
    const message = String(messageOf(said.error));
    expect(message).toMatch(/llama3\.1:8b.*needs [\d.]+ GiB, and 2\.0 GiB are free.*short/);
    expect(message).toContain("X-Plimsoll-Override: allow");
    expect(said.type).toBe(path === "/v1/messages" ? "error" : undefined);
    expect(guarded.inferenceCount()).toBe(0);
    // Memory is tight, which is said; a load that never came is not.
    const { episodes } = await guarded.store.episodes({});
    expect(episodes.filter(({ level }) => level !== "watch")).toEqual([]);
    const exchange = await guarded.lastExchange();
    expect(exchange).toMatchObject({
      status: 503,
      state: { phase: "failed", error: { code: "guard-refused" } },
    });
    expect(exchange.notices[0]).toMatchObject({ kind: "guard-acted" });
  });

  it("names a context that fits, and that one passes", async () => {
    const guarded = await start("refuse", 8 * GIB);
    const answer = await guarded.chat({ num_ctx: 65_536 });
    expect(answer.status).toBe(503);
    const { error } = (await answer.json()) as { error: string };
    const fits = Number(/A num_ctx of (\d+) fits/.exec(error)?.[1]);
    expect(fits).toBeGreaterThan(8192);
    expect((await guarded.chat({ num_ctx: fits + 512 })).status).toBe(503);
    expect((await guarded.chat({ num_ctx: fits })).status).toBe(200);
  });

  it("is lifted once by the override, which Ollama does not see", async () => {
    const guarded = await start("refuse", 2 * GIB);
    const answer = await guarded.chat({}, { "X-Plimsoll-Override": "Allow" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-plimsoll-guard")).toBe("overridden");
    const request = guarded.ollama.requests().findLast(({ target }) => target === "/api/chat");
    expect(JSON.stringify(request?.rawHeaders).toLowerCase()).not.toContain("x-plimsoll-override");
    await answer.text();
    expect((await guarded.lastExchange()).notices[0]?.kind).toBe("guard-acted");
  });

  it("lets pass what loads nothing: a loaded model, an unload, other paths, an unknown model", async () => {
    const guarded = await start("refuse", 2 * GIB);
    await (await guarded.chat({}, { "X-Plimsoll-Override": "allow" })).text();
    await untilLoaded(guarded, 4096);
    const warm = await guarded.chat({});
    expect([warm.status, warm.headers.has("x-plimsoll-guard")]).toEqual([200, false]);
    expect(
      (
        await guarded.post("/v1/chat/completions", {
          model: MODEL,
          messages: [{ role: "user", content: "x" }],
        })
      ).status,
    ).toBe(200);
    expect((await guarded.post("/api/generate", { model: MODEL, keep_alive: 0 })).status).toBe(200);
    expect((await guarded.post("/api/show", { model: MODEL })).status).toBe(200);
    expect((await guarded.post("/api/chat", { model: "nobody", messages: [] })).status).toBe(404);
  });

  it("counts what a reload gives back", async () => {
    // 8192 · 128 KiB more than 4096 needs half a GiB: far less than the model itself.
    const guarded = await start("refuse", 2 * GIB);
    await (await guarded.chat({}, { "X-Plimsoll-Override": "allow" })).text();
    await untilLoaded(guarded, 4096);
    expect((await guarded.chat({ num_ctx: 8192 })).status).toBe(200);
    await untilLoaded(guarded, 8192);
    expect((await guarded.chat({ num_ctx: 131_072 })).status).toBe(503);
  });

  it("lets embeddings of a small model pass and judges them like any load", async () => {
    const roomy = await start("refuse", 2 * GIB);
    expect((await roomy.post("/api/embed", { model: "nomic-embed-text", input: "x" })).status).toBe(200);
    const tight = await start("refuse", 50 * 2 ** 20);
    expect((await tight.post("/api/embed", { model: "nomic-embed-text", input: "x" })).status).toBe(503);
  });

  it("respects a margin", async () => {
    const guarded = await start("refuse", 8 * GIB, { guard: { mode: "refuse", marginBytes: 5 * GIB } });
    expect((await guarded.chat({})).status).toBe(503);
  });
});

describe("cap", () => {
  it("lowers an explicit num_ctx to the largest power of two that fits, and says so", async () => {
    const guarded = await start("cap", 8 * GIB);
    const answer = await guarded.chat({ num_ctx: 65_536, temperature: 0 });
    expect(answer.status).toBe(200);
    const { options } = JSON.parse(guarded.lastBody()) as {
      options: { num_ctx: number; temperature: number };
    };
    expect(Math.log2(options.num_ctx) % 1).toBe(0);
    expect(options.num_ctx).toBeGreaterThanOrEqual(8192);
    expect(options.num_ctx).toBeLessThan(65_536);
    expect(options.temperature).toBe(0);
    expect(answer.headers.get("x-plimsoll-guard")).toBe(`capped; num_ctx=${options.num_ctx}`);
    await answer.text();
    const [notice] = (await guarded.lastExchange()).notices;
    expect(notice).toMatchObject({ kind: "guard-acted", contextLength: options.num_ctx });
  });

  it("keeps its figure while the model stays, so that nothing is loaded anew", async () => {
    const guarded = await start("cap", 8 * GIB);
    const contexts: number[] = [];
    for (const asked of [65_536, 131_072, 65_536, 40_000]) {
      await (await guarded.chat({ num_ctx: asked })).text();
      const { options } = JSON.parse(guarded.lastBody()) as { options: { num_ctx: number } };
      contexts.push(options.num_ctx);
      await untilLoaded(guarded, options.num_ctx);
    }
    expect(new Set(contexts).size).toBe(1);
    const episodes = (await guarded.store.episodes({})).episodes;
    expect(episodes.map(({ level }) => level).filter((level) => level !== "watch")).toEqual([]);
    const loads = (await (await fetch(`${guarded.url}/plimsoll/api/loads`)).json()) as { loads: Load[] };
    expect(loads.loads).toHaveLength(1);
    // A shorter one is the client's own wish.
    await (await guarded.chat({ num_ctx: 2048 })).text();
    expect(guarded.lastBody()).toContain('"num_ctx":2048');
  });

  it("takes the loaded runner's context where that is not above the one asked for", async () => {
    const guarded = await start("cap", 6 * GIB);
    await (await guarded.chat({ num_ctx: 5000 })).text();
    await untilLoaded(guarded, 5000);
    const answer = await guarded.chat({ num_ctx: 131_072 });
    expect(answer.headers.get("x-plimsoll-guard")).toBe("capped; num_ctx=5000");
    expect(guarded.ollama.memory().runners).toHaveLength(1);
  });

  it("changes the number's bytes and nothing else, in a chunked body too", async () => {
    const guarded = await start("cap", 8 * GIB);
    const body = (context: string) =>
      ` {"Model":"${MODEL}" , "OPTIONS":{"stop":["\\u00e9}"],"num_ctx":9}, "options":{"num_ctx":1,"\\u006eum_ctx" : ${context},"seed":7e0},\n"prompt":"\\ud83e\\udd99 é","stream":false} trailing`;
    const whole = await guarded.post("/api/generate", body("6.5536e4"));
    expect(whole.status).toBe(200);
    const context = /num_ctx=(\d+)/.exec(whole.headers.get("x-plimsoll-guard") ?? "")?.[1] ?? "";
    expect(guarded.lastBody()).toBe(body(context));
    const bytes = Buffer.from(body("65536"));
    const streamed = await fetch(`${guarded.url}/api/generate`, {
      method: "POST",
      body: new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += 7) {
            controller.enqueue(bytes.subarray(at, at + 7));
          }
          controller.close();
        },
      }),
      duplex: "half",
    } as RequestInit);
    expect(streamed.status).toBe(200);
    expect(guarded.lastBody()).toBe(body(context));
  });

  it("only notes what it cannot change: no explicit num_ctx, another dialect, weights that do not fit", async () => {
    const guarded = await start("cap", 2 * GIB);
    for (const send of [
      () => guarded.chat({}),
      () =>
        guarded.post("/v1/chat/completions", {
          model: "gemma3:270m",
          messages: [{ role: "user", content: "x" }],
        }),
      () => guarded.chat({ num_ctx: 8192 }),
    ]) {
      const answer = await send();
      expect(answer.status).toBe(200);
      expect(answer.headers.has("x-plimsoll-guard")).toBe(false);
      await answer.text();
    }
    expect(guarded.lastBody()).toContain('"num_ctx":8192');
  });

  it("is lifted by the override", async () => {
    const guarded = await start("cap", 8 * GIB);
    await (await guarded.chat({ num_ctx: 65_536 }, { "X-Plimsoll-Override": "allow" })).text();
    expect(guarded.lastBody()).toContain('"num_ctx":65536');
  });
});

describe("never acts", () => {
  it("on readings older than 5 s", async () => {
    const ollama = createSimulatedOllama({ instant: true });
    const { url } = await ollama.listen();
    onCleanUp(() => ollama.close());
    let now = Date.now();
    const started = await startPlimsoll(url, {
      settings: { guard: { mode: "refuse" } },
      parts: { now: () => now, memorySource: () => ({ ...recordedMemory(GIB), read: readOnce(now) }) },
    });
    await waitFor(() => started.app.snapshot().sample !== undefined);
    const ask = () =>
      fetch(`${started.url}/api/generate`, {
        method: "POST",
        body: JSON.stringify({ model: MODEL, prompt: "x" }),
      });
    expect((await ask()).status).toBe(503);
    now += 5001;
    expect((await ask()).status).toBe(200);
  });

  it("on an architecture that nobody knows", async () => {
    const ollama = createSimulatedOllama({
      instant: true,
      script: [
        {
          when: { path: "/api/show" },
          override: {
            answer: {
              status: 200,
              body: JSON.stringify({
                model_info: {
                  "general.architecture": "newthing",
                  "newthing.block_count": 80,
                  "newthing.embedding_length": 8192,
                  "newthing.attention.head_count": 64,
                  "newthing.context_length": 131072,
                },
                tensors: [{ name: "token_embd.weight", type: "F16", shape: [8192, 4_000_000] }],
              }),
            },
          },
        },
      ],
    });
    const { url } = await ollama.listen();
    onCleanUp(() => ollama.close());
    const started = await startPlimsoll(url, {
      settings: { guard: { mode: "refuse" } },
      parts: { memorySource: () => recordedMemory(GIB) },
    });
    await waitFor(() => started.app.snapshot().sample !== undefined);
    const answer = await fetch(`${started.url}/api/generate`, {
      method: "POST",
      body: JSON.stringify({ model: MODEL, prompt: "x" }),
    });
    expect(answer.status).toBe(200);
  });
});

function readOnce(takenAt: number): () => MemorySample | undefined {
  let read = false;
  return () => {
    if (read) return undefined;
    read = true;
    return {
      takenAt,
      totalBytes: 16 * GIB,
      headroomBytes: GIB,
      floorBytes: 0,
      gpus: [],
      runners: [],
      problems: [],
    };
  };
}
