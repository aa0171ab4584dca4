/**
 * Drives a real Ollama through Plimsoll with the real client packages and compares the rows in SQLite with what Ollama
 * said. `PLIMSOLL_REAL_OLLAMA` names the server, `PLIMSOLL_REAL_MODEL` the model (default: the first one installed).
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import Database from "better-sqlite3";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMemorySource } from "../../src/memory/source.ts";
import type { Exchange, Load } from "../../src/types.ts";
import { cleanUp, onCleanUp, startPlimsoll, type Started } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

const upstream = process.env["PLIMSOLL_REAL_OLLAMA"];
if (upstream === undefined) {
  throw new Error("set PLIMSOLL_REAL_OLLAMA to the address of an Ollama, for example http://127.0.0.1:11434");
}

let plimsoll: Started;
let dataDir: string;
let model: string;
let ollama: Ollama;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), "plimsoll-real-"));
  onCleanUp(() => rm(dataDir, { recursive: true }));
  const clocks = { now: () => Date.now(), monotonic: () => performance.now() };
  plimsoll = await startPlimsoll(upstream, {
    dataDir,
    parts: {
      memorySource: () =>
        createMemorySource({ platform: process.platform, upstreamIsLocal: true, ...clocks }),
    },
  });
  ollama = new Ollama({ host: plimsoll.url });
  openai = new OpenAI({ baseURL: `${plimsoll.url}/v1`, apiKey: "unused" });
  anthropic = new Anthropic({ baseURL: plimsoll.url, apiKey: "unused" });
  const { models } = await ollama.list();
  model = process.env["PLIMSOLL_REAL_MODEL"] ?? models[0]?.name ?? "";
  expect(model, "the server has no model; create one, or name it with PLIMSOLL_REAL_MODEL").not.toBe("");
});

afterAll(cleanUp);

/** The newest row of SQLite itself, once it has ended. */
async function newestRow(where = "operation <> 'other'"): Promise<Record<string, unknown>> {
  let row: Record<string, unknown> | undefined;
  await waitFor(async () => {
    await plimsoll.store.flush(2000);
    const database = new Database(path.join(dataDir, "plimsoll.db"), { readonly: true });
    row = database
      .prepare(`SELECT * FROM exchanges WHERE ${where} ORDER BY started_at DESC, rowid DESC LIMIT 1`)
      .get() as Record<string, unknown> | undefined;
    database.close();
    return row?.["ended_at"] != null;
  });
  return row ?? {};
}

const messages = [{ role: "user" as const, content: "Name three colours." }];
const short = { num_predict: 12 };

describe("ollama-js", () => {
  it("chats, streaming", async () => {
    let last: Awaited<ReturnType<typeof ollama.chat>> | undefined;
    for await (const part of await ollama.chat({ model, messages, stream: true, options: short })) {
      last = part;
    }
    expect(last?.done).toBe(true);
    expect(await newestRow()).toMatchObject({
      phase: "completed",
      dialect: "ollama",
      model,
      stream: 1,
      client_name: "ollama-js",
      input_tokens: last?.prompt_eval_count,
      output_tokens: last?.eval_count,
      done_reason: last?.done_reason,
      total_ms: (last?.total_duration ?? 0) / 1e6,
      prefill_ms: (last?.prompt_eval_duration ?? 0) / 1e6,
      decode_ms: (last?.eval_duration ?? 0) / 1e6,
      usage_provenance: "measured",
    });
  });

  it("chats and generates, not streaming", async () => {
    const chat = await ollama.chat({ model, messages, options: short });
    expect(await newestRow()).toMatchObject({
      stream: 0,
      input_tokens: chat.prompt_eval_count,
      output_tokens: chat.eval_count,
    });
    const generated = await ollama.generate({ model, prompt: "One, two,", options: short });
    expect(await newestRow("operation = 'generate'")).toMatchObject({
      input_tokens: generated.prompt_eval_count,
      output_tokens: generated.eval_count,
    });
  });

  it("gets a missing model's error as it is", async () => {
    await expect(ollama.chat({ model: "no-such-model", messages })).rejects.toThrow(/not found/);
    expect(await newestRow()).toMatchObject({ phase: "failed", status: 404, error_code: "http-404" });
  });

  it("gets a pull's error without a network", async () => {
    await expect(
      (async () => {
        for await (const _ of await ollama.pull({ model: "no-such-model-anywhere", stream: true })) {
          // Progress lines before the error.
        }
      })(),
    ).rejects.toThrow();
    expect(await newestRow("operation = 'pull'")).toMatchObject({ phase: "failed" });
  });

  it("cancels while decoding, and Ollama is free at once", async () => {
    const stream = await ollama.chat({ model, messages, stream: true, options: { num_predict: 2000 } });
    let count = 0;
    await expect(
      (async () => {
        for await (const _ of stream) {
          count += 1;
          if (count === 5) {
            stream.abort();
          }
        }
      })(),
    ).rejects.toThrow();
    expect(await newestRow()).toMatchObject({ phase: "cancelled", usage_provenance: "derived" });
  });

  it("cancels while the prompt is processed", async () => {
    const aborting = new AbortController();
    const asked = fetch(`${plimsoll.url}/api/generate`, {
      method: "POST",
      signal: aborting.signal,
      body: JSON.stringify({ model, prompt: `${Math.random()} ${"word ".repeat(3500)}`, options: short }),
    });
    setTimeout(() => aborting.abort(), 400);
    await expect(asked).rejects.toThrow();
    const row = await newestRow("operation = 'generate'");
    expect(row).toMatchObject({ phase: "cancelled", first_token_at: null });
  });
});

describe("openai", () => {
  it("chats, streaming, with usage", async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages,
      max_tokens: 12,
      stream: true,
      stream_options: { include_usage: true },
    });
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      usage = chunk.usage ?? usage;
    }
    expect(await newestRow()).toMatchObject({
      phase: "completed",
      dialect: "openai",
      client_name: "openai-js",
      input_tokens: usage?.prompt_tokens,
      output_tokens: usage?.completion_tokens,
      usage_provenance: "measured",
    });
  });

  it("chats, streaming, without usage: completed though it hangs up after [DONE], and marked as an estimate", async () => {
    for await (const _ of await openai.chat.completions.create({
      model,
      messages,
      max_tokens: 12,
      stream: true,
    })) {
      // Read to the end.
    }
    expect(await newestRow()).toMatchObject({ phase: "completed", usage_provenance: "derived" });
    expect((await newestRow())["notices"]).toContain("estimated-usage");
  });

  it("chats, completes and responds, not streaming", async () => {
    const chat = await openai.chat.completions.create({ model, messages, max_tokens: 12 });
    expect(await newestRow()).toMatchObject({
      input_tokens: chat.usage?.prompt_tokens,
      output_tokens: chat.usage?.completion_tokens,
    });
    const completion = await openai.completions.create({ model, prompt: "One, two,", max_tokens: 12 });
    expect(await newestRow("path = '/v1/completions'")).toMatchObject({
      operation: "generate",
      output_tokens: completion.usage?.completion_tokens,
    });
    const response = await openai.responses.create({ model, input: "Name a colour.", max_output_tokens: 12 });
    expect(await newestRow("path = '/v1/responses'")).toMatchObject({
      dialect: "responses",
      input_tokens: response.usage?.input_tokens,
      output_tokens: response.usage?.output_tokens,
    });
  });
});

describe("@anthropic-ai/sdk", () => {
  it("sends messages, not streaming", async () => {
    const message = await anthropic.messages.create({ model, messages, max_tokens: 12 });
    expect(await newestRow()).toMatchObject({
      phase: "completed",
      dialect: "anthropic",
      client_name: "anthropic-js",
      input_tokens: message.usage.input_tokens,
      output_tokens: message.usage.output_tokens,
    });
  });

  it("sends messages, streaming: the true counts, not the first guess", async () => {
    const message = await anthropic.messages.stream({ model, messages, max_tokens: 12 }).finalMessage();
    expect(await newestRow()).toMatchObject({
      phase: "completed",
      output_tokens: message.usage.output_tokens,
    });
    expect((await newestRow())["input_tokens"]).toBeGreaterThan(5);
  });
});

it("follows 20 turns of one chat, row by row", async () => {
  const chat: { role: string; content: string }[] = [];
  for (let turn = 1; turn <= 20; turn += 1) {
    chat.push({ role: "user", content: `Question ${turn}: say something about the number ${turn}.` });
    const answer = await ollama.chat({ model, messages: chat, options: { num_predict: 16, num_ctx: 4096 } });
    chat.push({ role: "assistant", content: answer.message.content });
    expect(await newestRow()).toMatchObject({
      phase: "completed",
      requested_context_length: 4096,
      context_length: 4096,
      input_tokens: answer.prompt_eval_count,
      output_tokens: answer.eval_count,
      context_tokens_used: answer.prompt_eval_count + answer.eval_count,
    });
  }
}, 900_000);

it("records each runner start with what Ollama claims and what it measurably takes", async () => {
  await ollama.generate({ model, prompt: "x", options: { num_predict: 1, num_ctx: 2048 } });
  let newest: Load | undefined;
  await waitFor(
    async () => {
      const { loads } = await plimsoll.store.loads({});
      newest = loads[0];
      return newest?.measured !== undefined && newest.claimedBytes !== undefined;
    },
    { timeoutMs: 20_000, everyMs: 200 },
  );
  expect(newest).toMatchObject({ model, cause: "options", contextLength: 2048 });
  expect(newest?.measured?.anonymousBytes).toBeGreaterThan(50 * 1024 * 1024);
  const caused = (await plimsoll.store.exchange(newest?.exchangeId ?? "")) as Exchange;
  expect(caused.requestedContextLength).toBe(2048);
  await ollama.generate({ model, prompt: "", keep_alive: 0 });
  await waitFor(async () => (await plimsoll.store.loads({})).loads[0]?.unloadedAt !== undefined, {
    timeoutMs: 30_000,
  });
});
