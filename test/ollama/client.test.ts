import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createOllamaClient, OllamaError } from "../../src/ollama/client.ts";
import { capturedChunks, loadCaptures } from "../support/captures.ts";

const servers: { close(): void; closeAllConnections?(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Serves what a real Ollama answered to this path in this scenario. */
function serveCaptured(scenario: string, target: string, index = 0): Promise<string> {
  const found = loadCaptures().filter(
    (capture) => capture.scenario === scenario && capture.exchange.request.target === target,
  )[index];
  if (found === undefined) {
    throw new Error(`no ${target} in ${scenario}`);
  }
  const { response } = found.exchange;
  return serve((_, outgoing) => {
    outgoing.writeHead(response.status, { "content-type": "application/json" });
    outgoing.end(Buffer.concat(capturedChunks(response)));
  });
}

async function problemOf(promise: Promise<unknown>): Promise<OllamaError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(OllamaError);
  return error as OllamaError;
}

describe("what a real Ollama answered", () => {
  it("version", async () => {
    const url = await serveCaptured("02-version", "/api/version");
    expect(await createOllamaClient({ url }).version()).toBe("0.24.0");
  });

  it("ps: loaded models with their claims, one of them kept for ever", async () => {
    const url = await serveCaptured("11-load-unload", "/api/ps", 1);
    const now = (): number => Date.parse("2026-11-21T06:52:35Z");
    const models = await createOllamaClient({ url, now }).ps();
    expect(models[0]).toEqual({
      name: "gemma3:270m",
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizeBytes: expect.any(Number),
      deviceBytes: 0,
      contextLength: 1024,
      keptForever: true,
    });
    expect(models[1]?.expiresAt).toBeGreaterThan(now());
    expect(models[1]?.keptForever).toBeUndefined();
  });

  it("ps and tags of an empty store", async () => {
    const ps = await serveCaptured("53-empty-store", "/api/ps");
    expect(await createOllamaClient({ url: ps }).ps()).toEqual([]);
    const tags = await serveCaptured("53-empty-store", "/api/tags");
    expect(await createOllamaClient({ url: tags }).tags()).toEqual([]);
  });

  it("tags", async () => {
    const models = await createOllamaClient({ url: await serveCaptured("03-tags", "/api/tags") }).tags();
    expect(models).toHaveLength(5);
    expect(models[0]).toMatchObject({ name: expect.any(String), sizeBytes: expect.any(Number) });
  });

  it("show: architecture, all tensors and the file of the weights", async () => {
    const url = await serveCaptured("04-show", "/api/show");
    const show = await createOllamaClient({ url }).show("gemma3:270m");
    expect(show.model_info?.["general.architecture"]).toBe("gemma3");
    expect(show.tensors).toHaveLength(236);
    expect(show.modelfile).toMatch(/^FROM \/.*sha256-[0-9a-f]{64}$/m);
  });

  it("show of an unknown model is refused with its status", async () => {
    const url = await serveCaptured("33-errors-basic", "/api/show");
    expect(await problemOf(createOllamaClient({ url }).show("nope"))).toMatchObject({
      problem: "refused",
      status: 404,
    });
  });
});

describe("a question", () => {
  it("asks for the model by POST, loads nothing and says where to", async () => {
    const seen: unknown[] = [];
    const url = await serve(async (incoming, outgoing) => {
      const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
      seen.push([incoming.method, incoming.url, incoming.headers.host, JSON.parse(body.toString())]);
      outgoing.end("{}");
    });
    await createOllamaClient({ url }).show("a", { verbose: true });
    expect(seen).toEqual([["POST", "/api/show", new URL(url).host, { model: "a", verbose: true }]]);
  });

  it("keeps per-layer lists and tensors, and leaves the tokenizer out", async () => {
    const tokens = Array.from({ length: 200_000 }, (_, index) => `token ${index}`);
    const tensors = Array.from({ length: 3000 }, (_, index) => ({ name: `t${index}`, shape: [1, 2] }));
    const layers = Array.from({ length: 126 }, (_, index) => index % 8);
    const text = JSON.stringify({
      model_info: { "tokenizer.ggml.tokens": tokens, "x.head_count_kv": layers },
      tensors,
    });
    const url = await serve((_, outgoing) => outgoing.end(text));
    const show = await createOllamaClient({ url }).show("a", { verbose: true });
    expect(show.model_info?.["x.head_count_kv"]).toEqual(layers);
    expect(show.tensors).toEqual(tensors);
    expect(show.model_info?.["tokenizer.ggml.tokens"]).toEqual(tokens.slice(0, 1024));
  });

  it("leaves out what Ollama does not say or cannot mean", async () => {
    const models = [
      { name: "a", size: -1, context_length: 0, expires_at: "0001-01-01T00:00:00Z" },
      7,
      { size: 1 },
    ];
    const url = await serve((_, outgoing) => outgoing.end(JSON.stringify({ models })));
    const [model, ...others] = await createOllamaClient({ url }).ps();
    expect(others).toEqual([]);
    expect(JSON.parse(JSON.stringify(model))).toEqual({ name: "a" });
  });
});

describe("a question without an answer", () => {
  it("because nobody listens", async () => {
    const url = await serve(() => {});
    servers.splice(0).forEach((server) => server.close());
    expect(await problemOf(createOllamaClient({ url }).version())).toMatchObject({
      problem: "unreachable",
      message: `Ollama does not answer at ${url} (ECONNREFUSED)`,
    });
  });

  it("because it takes too long, whether no byte comes or no end", async () => {
    const silent = await serve(() => {});
    const endless = await serve((_, outgoing) => outgoing.write('{"version":'));
    for (const url of [silent, endless]) {
      expect(await problemOf(createOllamaClient({ url, timeoutMs: 50 }).version())).toMatchObject({
        problem: "timeout",
        message: `Ollama at ${url} did not answer /api/version within 50 ms`,
      });
    }
  });

  it("because the connection breaks in the middle", async () => {
    const url = await serve((_, outgoing) => {
      outgoing.writeHead(200, { "content-length": "100" });
      outgoing.write('{"version":', () => outgoing.destroy());
    });
    expect((await problemOf(createOllamaClient({ url }).version())).problem).toBe("unreachable");
  });

  it.each(["<html>", "[]", "{}", '{"version":7}', ""])("because %j is no answer of Ollama", async (text) => {
    const url = await serve((_, outgoing) => outgoing.end(text));
    expect((await problemOf(createOllamaClient({ url }).version())).problem).toBe("not-ollama");
  });

  it("because what listens speaks no HTTP", async () => {
    const server = createTcpServer((socket) => socket.end("SSH-2.0-x\r\n"));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await problemOf(createOllamaClient({ url }).version())).problem).toBe("not-ollama");
  });

  it("because it never stops talking", async () => {
    const url = await serve((_, outgoing) => {
      const more = (): void => void (outgoing.destroyed || outgoing.write(" ".repeat(1 << 20), more));
      more();
    });
    const problem = await problemOf(createOllamaClient({ url, timeoutMs: 15_000 }).ps());
    expect(problem).toMatchObject({ problem: "not-ollama" });
    expect(problem.message).toContain("33554432 bytes");
  });
});
