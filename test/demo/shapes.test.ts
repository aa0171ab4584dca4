/** The simulated answers beside the recorded ones: same status, header names in their order, framing and shape. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { rawRequest, type RawAnswer } from "./support/rawClient.ts";
import { bodyShape, chunkForms, shapeOf } from "./support/shape.ts";

interface Recorded {
  name: string;
  method: string;
  target: string;
  headers?: Record<string, string>;
  body?: string;
  status: number;
  responseHeaders: string[];
  contentType?: string;
  chunks?: string[];
  text?: string;
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/demo/${name}`, import.meta.url), "utf8")) as T;
}

let ollama: SimulatedOllama;
let port = 0;

beforeAll(async () => {
  ollama = createSimulatedOllama({ instant: true, models: ["gemma3:270m", "nomic-embed-text:latest"] });
  ({ port } = await ollama.listen());
});
afterAll(async () => await ollama.close());

const send = async (recorded: Recorded): Promise<RawAnswer> => await rawRequest({ port, ...recorded });

describe("answers have the shape of the recorded ones", () => {
  it.each(
    fixture<Recorded[]>("exchanges.json").map(
      (recorded) => [`${recorded.name}: ${recorded.method} ${recorded.target}`, recorded] as const,
    ),
  )("%s", async (_name, recorded) => {
    const answer = await send(recorded);
    expect(answer.status).toBe(recorded.status);
    expect(answer.complete).toBe(true);
    expect(answer.headers.map(([name]) => name)).toEqual(recorded.responseHeaders);
    expect(answer.headers.find(([name]) => name === "Content-Type")?.[1]).toBe(recorded.contentType);
    expect(answer.chunked).toBe(recorded.chunks !== undefined);
    const expected = recorded.chunks ?? [recorded.text ?? ""];
    expect(bodyShape(answer.chunks)).toEqual(bodyShape(expected));
    expect(chunkForms(answer.chunks.filter((chunk) => chunk !== ""))).toEqual(
      chunkForms(expected.filter((chunk) => chunk !== "")),
    );
    const error = /^\{"error":.*\}\n?$/u.exec(recorded.text ?? "")?.[0];
    if (error !== undefined && recorded.method !== "HEAD") {
      expect(answer.chunks.join("").replace(/\d+/gu, "#")).toBe(error.replace(/\d+/gu, "#"));
    }
  });
});

it("shows a model with the tensors, the details and the keys of the recorded one", async () => {
  const recorded = fixture<Record<string, unknown>>("show-gemma3-270m.json");
  const answer = await rawRequest({ port, target: "/api/show", body: '{"name":"gemma3:270m"}' });
  const shown = JSON.parse(answer.chunks.join("")) as Record<string, unknown>;
  const tensors = (shown.tensors as { name: string; type: string; shape: number[] }[]).map((tensor) => [
    tensor.name,
    tensor.type,
    ...tensor.shape,
  ]);
  expect(answer.chunks).toHaveLength(1);
  expect(Object.keys(shown)).toEqual(Object.keys(recorded));
  expect(tensors).toEqual(recorded.tensors);
  expect(shown.details).toEqual(recorded.details);
  const info = shown.model_info as Record<string, unknown>;
  const recordedInfo = recorded.model_info as Record<string, unknown>;
  for (const [key, value] of Object.entries(info)) {
    if (key.startsWith("gemma3.") || key === "general.parameter_count") {
      if (key !== "gemma3.attention.layer_norm_rms_epsilon")
        expect([key, value]).toEqual([key, recordedInfo[key]]);
    }
  }
  expect(info["tokenizer.ggml.tokens"]).toBeNull();
});

it("fills the arrays of a model only when asked to", async () => {
  const answer = await rawRequest({
    port,
    target: "/api/show",
    body: '{"model":"gemma3:270m","verbose":true}',
  });
  const { model_info: info } = JSON.parse(answer.chunks.join("")) as { model_info: Record<string, unknown> };
  expect(info["tokenizer.ggml.tokens"]).toHaveLength(262_144);
});

it.each([
  ["/api/tags", "tags.json"],
  ["/api/ps", "ps.json"],
])("lists models at %s as recorded", async (target, name) => {
  await rawRequest({ port, target: "/api/generate", body: '{"model":"gemma3:270m"}' });
  const answer = await rawRequest({ port, method: "GET", target });
  expect(shapeOf(JSON.parse(answer.chunks.join("")))).toEqual(shapeOf(fixture(name)));
});

it("says an embedding's cost in the native API and only its tokens in the other", async () => {
  const input = ["a b c", "d e f g"];
  const native = await rawRequest({
    port,
    target: "/api/embed",
    body: JSON.stringify({ model: "nomic-embed-text", input }),
  });
  const v1 = await rawRequest({
    port,
    target: "/v1/embeddings",
    body: JSON.stringify({ model: "nomic-embed-text", input }),
  });
  const old = await rawRequest({
    port,
    target: "/api/embeddings",
    body: '{"model":"nomic-embed-text","prompt":"a"}',
  });
  expect(shapeOf(JSON.parse(native.chunks.join("")))).toEqual({
    model: "string",
    embeddings: [["number"]],
    total_duration: "number",
    load_duration: "number",
    prompt_eval_count: "number",
  });
  expect(shapeOf(JSON.parse(v1.chunks.join("")))).toEqual({
    object: "string",
    data: [{ object: "string", embedding: ["number"], index: "number" }],
    model: "string",
    usage: { prompt_tokens: "number", total_tokens: "number" },
  });
  expect(shapeOf(JSON.parse(old.chunks.join("")))).toEqual({ embedding: ["number"] });
});

it("has an empty shelf look empty in both APIs", async () => {
  const empty = createSimulatedOllama({ instant: true, models: [] });
  const { port: emptyPort } = await empty.listen();
  const body = async (target: string): Promise<string> =>
    (await rawRequest({ port: emptyPort, method: "GET", target })).chunks.join("");
  expect(await body("/api/tags")).toBe('{"models":[]}');
  expect(await body("/v1/models")).toBe('{"object":"list","data":null}\n');
  await empty.close();
});
