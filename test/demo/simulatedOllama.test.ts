import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { openRequest, rawRequest, type RawAnswer } from "./support/rawClient.ts";

let ollama: SimulatedOllama;
let port = 0;
let url = "";

beforeEach(async () => {
  ollama = createSimulatedOllama({ instant: true, keepBodies: true });
  ({ port, url } = await ollama.listen());
});
afterEach(async () => await ollama.close());

const post = async (target: string, body: object | string): Promise<RawAnswer> =>
  await rawRequest({ port, target, body: typeof body === "string" ? body : JSON.stringify(body) });
const json = (answer: RawAnswer): Record<string, unknown> =>
  JSON.parse(answer.chunks.join("")) as Record<string, unknown>;
const lines = (answer: RawAnswer): Record<string, unknown>[] =>
  answer.chunks.map((chunk) => JSON.parse(chunk) as Record<string, unknown>);
const names = async (): Promise<string[]> => {
  const tags = json(await rawRequest({ port, method: "GET", target: "/api/tags" }));
  return (tags.models as { name: string }[]).map((model) => model.name);
};

describe("requests are read as Ollama reads them", () => {
  it.each([
    ["keys in any case", '{"MODEL":"gemma3:270m","Prompt":"hi","STREAM":false}'],
    ["the last of two keys", '{"model":"nope","prompt":"hi","stream":false,"model":"gemma3:270m"}'],
    [
      "what follows the first value is ignored",
      '{"model":"gemma3:270m","prompt":"hi {","stream":false} and more',
    ],
    ["model names in any case", '{"model":"GEMMA3:270M","prompt":"hi","stream":false}'],
  ])("%s", async (_name, body) => {
    const answer = await post("/api/generate", body);
    expect(answer.status).toBe(200);
    expect(json(answer)).toMatchObject({ done: true });
  });

  it("num_ctx of the wrong type is a 500, a wrong keep_alive a 400", async () => {
    const wrongOption = await post("/api/chat", {
      model: "gemma3:270m",
      messages: [{}],
      options: { num_ctx: "big" },
    });
    const wrongTime = await post("/api/chat", { model: "gemma3:270m", messages: [{}], keep_alive: "soon" });
    expect([wrongOption.status, wrongTime.status]).toEqual([500, 400]);
    expect(json(wrongOption)).toEqual({ error: 'option "num_ctx" must be of type integer' });
  });

  it("num_ctx is clipped to what the model was trained on", async () => {
    await post("/api/generate", { model: "gemma3:270m", prompt: "hi", options: { num_ctx: 100_000_000 } });
    expect(ollama.memory().runners[0]?.process.settings.contextLength).toBe(32_768);
  });

  it("records method, target, headers as sent, body and outcome", async () => {
    await rawRequest({
      port,
      target: "/api/show?x=1",
      headers: { "X-Odd": "1", "x-odd": "2" },
      body: '{"model":"x"}',
    });
    expect(ollama.requests()).toMatchObject([
      { method: "POST", target: "/api/show?x=1", bodyBytes: 13, outcome: "answered" },
    ]);
    expect(ollama.requests()[0]?.rawHeaders.slice(2, 6)).toEqual(["X-Odd", "1", "x-odd", "2"]);
    expect(String(ollama.requests()[0]?.body)).toBe('{"model":"x"}');
  });
});

describe("the connection", () => {
  it("is kept for further requests", async () => {
    const bytes = "GET /api/version HTTP/1.1\r\nhost: a.local\r\n\r\n";
    const client = openRequest({ port, method: "GET", target: "/", headers: {} });
    client.write(bytes + bytes);
    let received = "";
    client.on("data", (chunk) => (received += String(chunk)));
    await vi.waitFor(() => expect(received.match(/HTTP\/1\.1 200 OK/gu)).toHaveLength(3));
    client.destroy();
    expect(received).not.toMatch(/^connection:/imu);
  });

  it("needs a Host in HTTP/1.1 and says so as Go does", async () => {
    const answer = await rawText("GET / HTTP/1.1\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request: missing required Host header\r\n/u);
    expect(await rawText("GET / HTTP/1.0\r\n\r\n")).toMatch(/200 OK[^]*Ollama is running$/u);
  });

  it("asks for a body only when it wants it", async () => {
    const invited = vi.fn();
    const digest = `sha256:${"a".repeat(64)}`;
    const upload = async (): Promise<number | undefined> =>
      await new Promise((resolve, reject) => {
        const outgoing = httpRequest(
          `${url}/api/blobs/${digest}`,
          { method: "POST", headers: { Expect: "100-continue", "Content-Length": 4 } },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        );
        outgoing.on("error", reject);
        outgoing.on("continue", () => {
          invited();
          outgoing.end("abcd");
        });
        outgoing.flushHeaders();
      });
    expect(await upload()).toBe(201);
    expect(await upload()).toBe(200);
    expect(invited).toHaveBeenCalledTimes(1);
  });

  it("closes after answering a large upload that it already has", async () => {
    const digest = `sha256:${"b".repeat(64)}`;
    await post(`/api/blobs/${digest}`, "whole");
    const head = await rawText(
      `POST /api/blobs/${digest} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999999\r\n\r\nfirst bytes`,
    );
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n/u);
  });

  async function rawText(bytes: string): Promise<string> {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    socket.on("data", (chunk) => (received += String(chunk)));
    socket.write(bytes);
    await new Promise((resolve) => socket.once("close", resolve));
    return received;
  }
});

it("cuts the connection rather than let a fault of its own hang", async () => {
  const faulty = createSimulatedOllama({
    instant: true,
    slowdown: () => {
      throw new Error("a fault");
    },
  });
  const { port: faultyPort } = await faulty.listen();
  const body = '{"model":"gemma3:270m","prompt":"hi"}';
  const answer = await rawRequest({ port: faultyPort, target: "/api/generate", body });
  expect(answer.complete).toBe(false);
  await faulty.close();
});

describe("models", () => {
  it("are pulled with progress a line, ending in success", async () => {
    const store = createSimulatedOllama({ instant: true, models: [] });
    const { port: emptyPort } = await store.listen();
    const answer = await rawRequest({
      port: emptyPort,
      target: "/api/pull",
      body: '{"model":"nomic-embed-text"}',
    });
    const said = lines(answer);
    expect(said[0]).toEqual({ status: "pulling manifest" });
    expect(said.at(-1)).toEqual({ status: "success" });
    const progress = said.filter((line) => "total" in line);
    expect(progress.length).toBeGreaterThan(10);
    expect(progress.at(-1)?.completed).toBe(progress.at(-1)?.total);
    const again = await rawRequest({
      port: emptyPort,
      target: "/api/pull",
      body: '{"model":"nomic-embed-text","stream":false}',
    });
    expect(json(again)).toEqual({ status: "success" });
    await store.close();
  });

  it("are created, copied, shown under their new name and deleted", async () => {
    const created = await post("/api/create", { model: "mine", from: "gemma3:270m" });
    expect(lines(created).at(-1)).toEqual({ status: "success" });
    expect((await post("/api/copy", { source: "mine", destination: "yours" })).status).toBe(200);
    expect((await names()).slice(0, 2)).toEqual(["yours:latest", "mine:latest"]);
    const remove = async (model: string): Promise<number> =>
      (await rawRequest({ port, method: "DELETE", target: "/api/delete", body: JSON.stringify({ model }) }))
        .status;
    expect([await remove("mine"), await remove("mine")]).toEqual([200, 404]);
    expect(await names()).not.toContain("mine:latest");
  });

  it("are created from an upload", async () => {
    const digest = `sha256:${"c".repeat(64)}`;
    const files = { "x.gguf": digest };
    expect(lines(await post("/api/create", { model: "up", files })).at(-1)).toHaveProperty("error");
    await post(`/api/blobs/${digest}`, "GGUF");
    expect(lines(await post("/api/create", { model: "up", files })).at(-1)).toEqual({ status: "success" });
    expect(await names()).toContain("up:latest");
  });

  it("share a runner when they share their weights", async () => {
    await post("/api/copy", { source: "gemma3:270m", destination: "twin" });
    await post("/api/generate", { model: "gemma3:270m", prompt: "hi" });
    await post("/api/generate", { model: "twin", prompt: "hi" });
    const ps = json(await rawRequest({ port, method: "GET", target: "/api/ps" }));
    expect((ps.models as { name: string }[]).map((model) => model.name)).toEqual(["gemma3:270m"]);
  });

  it("refuse what they cannot do", async () => {
    const asked = [
      await post("/api/chat", { model: "nomic-embed-text", messages: [{ role: "user", content: "hi" }] }),
      await post("/api/embed", { model: "gemma3:270m", input: "hi" }),
      await post("/api/chat", {
        model: "gemma3:270m",
        messages: [{ role: "user", content: "hi", images: ["AAAA"] }],
      }),
      await post("/api/chat", {
        model: "gemma3:4b",
        messages: [{ role: "user", content: "hi", images: ["AAAA"] }],
      }),
    ];
    expect(asked.map((answer) => answer.status)).toEqual([400, 501, 400, 200]);
  });
});

describe("a window that is too small", () => {
  const generate = async (more: object): Promise<Record<string, unknown>> =>
    json(
      await post("/api/generate", {
        model: "llama3.1:8b",
        prompt: "word ".repeat(30),
        stream: false,
        ...more,
      }),
    );

  it("is shifted while generating: more tokens than it holds", async () => {
    const end = await generate({ options: { num_ctx: 64, num_predict: 100 } });
    expect(end).toMatchObject({ eval_count: 100, done_reason: "length" });
  });

  it("ends the answer at the window when shifting is forbidden", async () => {
    const end = await generate({ shift: false, options: { num_ctx: 64, num_predict: 100 } });
    expect((end.prompt_eval_count as number) + (end.eval_count as number)).toBe(64);
    expect(end.done_reason).toBe("length");
  });
});

it("shows a runner with keep_alive for ever as expiring in some 292 years", async () => {
  await post("/api/generate", { model: "gemma3:270m", keep_alive: -1 });
  const ps = json(await rawRequest({ port, method: "GET", target: "/api/ps" }));
  const [model] = ps.models as { expires_at: string }[];
  expect(new Date(model?.expires_at ?? 0).getUTCFullYear()).toBeGreaterThan(2300);
});
