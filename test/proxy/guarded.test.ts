/** What holding a request back must not cost: its bytes, its client's leave, its room in memory. */
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import type { MemorySource } from "../../src/memory/sampler.ts";
import { connect, dechunk, parseAnswer } from "../support/rawClient.ts";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const GIB = 2 ** 30;
let show = "";

beforeAll(async () => {
  const ollama = createSimulatedOllama({ instant: true });
  const { url } = await ollama.listen();
  show = await (
    await fetch(`${url}/api/show`, { method: "POST", body: JSON.stringify({ model: "llama3.1:8b" }) })
  ).text();
  await ollama.close();
});

const OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const PROMPT = '{"model":"llama3.1:8b","prompt":"x","options":{"num_ctx":65536}}';
const SMALL = '{"model":"llama3.1:8b","prompt":"x","options":{"num_ctx":512}}';

const request = (body: string, more = ""): string =>
  `POST /api/generate HTTP/1.1\r\nhOsT: localhost\r\nX-A: 1\r\nx-a: 2\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function memory(headroomBytes: number): MemorySource {
  return {
    state: "on",
    read: () => ({
      takenAt: Date.now(),
      totalBytes: 16 * GIB,
      headroomBytes,
      floorBytes: 0,
      gpus: [],
      runners: [],
      problems: [],
    }),
    runners: () => [],
    rescan() {},
    problems: () => [],
    setDeviceInUse() {},
    close: async () => {},
  };
}

async function start(
  options: { mode?: string; headroomBytes?: number; showHangs?: boolean; answer?: boolean } = {},
) {
  const { mode = "refuse", headroomBytes = 7 * GIB, showHangs = false, answer = true } = options;
  const upstream = await startRawUpstream(
    (connection) => {
      if (answer) {
        connection.onChunk(() => {
          if (/\r\n\r\n.*(\}|0\r\n\r\n)$/s.test(connection.received().toString("latin1").slice(-100_000))) {
            connection.socket.write(OK);
          }
        });
      }
    },
    (question) => {
      void question.until("\r\n\r\n").then((head) => {
        if (showHangs && head.includes("/api/show")) {
          return;
        }
        const body = head.includes("/api/show") ? show : '{"version":"0.33.0","models":[]}';
        question.socket.end(
          `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      });
    },
  );
  const started = await startBehind(upstream, {
    settings: { guard: { mode }, sampling: { intervalMs: 250 } },
    parts: { memorySource: () => memory(headroomBytes) },
  });
  await waitFor(() => started.app.snapshot().sample !== undefined);
  return { ...started, upstream };
}

const phaseOf = async (started: Awaited<ReturnType<typeof start>>) =>
  (await started.store.exchanges({})).exchanges[0]?.state.phase;

it("a request that passes reaches Ollama byte for byte as with the guard off", async () => {
  const seen: string[] = [];
  for (const mode of ["off", "refuse", "cap"]) {
    const { port, upstream } = await start({ mode });
    const client = await connect(port);
    client.send(request(SMALL, "X-Plimsoll-Override: allow\r\n").slice(0, 60));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.send(request(SMALL, "X-Plimsoll-Override: allow\r\n").slice(60));
    const answer = await client.until("{}");
    expect(answer).not.toContain("X-Plimsoll-Guard");
    seen.push(
      upstream.connections[0]
        ?.received()
        .toString("latin1")
        .replaceAll(/127\.0\.0\.1:\d+/g, "upstream") ?? "",
    );
    await cleanUp();
  }
  expect(seen[0]).toContain(SMALL);
  expect(new Set(seen).size).toBe(1);
});

it("a capped one differs by the number and its length alone", async () => {
  const { port, upstream } = await start({ mode: "cap" });
  const client = await connect(port);
  client.send(request(PROMPT));
  const answer = await client.until("{}");
  const context = /X-Plimsoll-Guard: capped; num_ctx=(\d+)/.exec(answer)?.[1] ?? "";
  expect(Number(context)).toBeGreaterThan(256);
  const expected = request(PROMPT.replace("65536", context)).replace(
    "hOsT: localhost",
    `hOsT: 127.0.0.1:${upstream.port}`,
  );
  expect(upstream.connections[0]?.received().toString("latin1")).toBe(expected);
});

it("a chunked one stays chunked, with its trailer", async () => {
  const { port, upstream } = await start({ mode: "cap" });
  const client = await connect(port);
  client.send("POST /api/generate HTTP/1.1\r\nHost: x.localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const part of [PROMPT.slice(0, 20), PROMPT.slice(20, 50), PROMPT.slice(50)]) {
    client.send(`${part.length.toString(16)}\r\n${part}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  client.send("0\r\nX-Trailer: t\r\n\r\n");
  await waitFor(() => upstream.connections[0]?.received().includes("X-Trailer: t"));
  const sent = upstream.connections[0]?.received().toString("latin1") ?? "";
  expect(sent).not.toMatch(/content-length/i);
  const body = sent.slice(sent.indexOf("\r\n\r\n") + 4).replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, "");
  expect(body).toMatch(/"num_ctx":(?!65536)\d+\}\}/);
});

it("one in chunks of a byte each reaches Ollama whole, in fewer chunks", async () => {
  const { port, upstream } = await start({ headroomBytes: 100 * GIB });
  const body = JSON.stringify({ model: "m", prompt: "0123456789".repeat(500) });
  const client = await connect(port);
  client.send("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send(`${[...body].map((byte) => `1\r\n${byte}\r\n`).join("")}0\r\n\r\n`);
  await client.until("HTTP/1.1 200");
  const received = upstream.connections[0]?.received() ?? Buffer.alloc(0);
  const { chunks, complete } = dechunk(received.subarray(received.indexOf("\r\n\r\n") + 4));
  expect(complete).toBe(true);
  expect(Buffer.concat(chunks).toString()).toBe(body);
  expect(chunks.length).toBeLessThan(2000);
});

describe("a refusal", () => {
  it("leaves the connection usable, in order, for pipelined requests too", async () => {
    const { port, upstream } = await start();
    const client = await connect(port);
    client.send(request(PROMPT) + request(SMALL) + request(PROMPT));
    await waitFor(() => client.received().toString("latin1").split("HTTP/1.1 503").length === 3);
    const statuses = client
      .received()
      .toString("latin1")
      .match(/HTTP\/1\.1 \d+/g);
    expect(statuses).toEqual(["HTTP/1.1 503", "HTTP/1.1 200", "HTTP/1.1 503"]);
    expect(upstream.connections).toHaveLength(1);
  });

  it("answers an HTTP/1.0 client", async () => {
    const { port } = await start();
    const client = await connect(port);
    client.send(request(PROMPT).replace("HTTP/1.1", "HTTP/1.0"));
    const { text } = await client.ended;
    expect(parseAnswer(text).statusLine).toMatch(/ 503 /);
    expect(JSON.parse(parseAnswer(text).body)).toHaveProperty("error");
  });

  it("asks a client that waits for its leave to send the body", async () => {
    const { port, upstream } = await start();
    const client = await connect(port);
    const [head = "", body = ""] = request(PROMPT, "Expect: 100-continue\r\n").split("\r\n\r\n");
    client.send(`${head}\r\n\r\n`);
    await client.until("100 Continue");
    client.send(body);
    await client.until("503");
    expect(upstream.connections).toHaveLength(0);
  });
});

describe("a client that leaves while its request is held", () => {
  it.each(["fin", "reset"] as const)(
    "in the middle of its upload, by %s: Ollama never hears of it",
    async (how) => {
      const started = await start();
      const client = await connect(started.port);
      client.send(request(PROMPT).slice(0, -5));
      await waitFor(() => started.app.snapshot().exchanges.length === 1);
      if (how === "fin") client.socket.end();
      else client.socket.resetAndDestroy();
      await waitFor(async () => (await phaseOf(started)) === "cancelled");
      expect(started.upstream.connections).toHaveLength(0);
    },
  );

  it("while it is judged", async () => {
    const started = await start({ showHangs: true });
    const client = await connect(started.port);
    client.send(request(PROMPT));
    await waitFor(() => started.app.snapshot().exchanges[0]?.model !== undefined);
    client.socket.destroy();
    await waitFor(async () => (await phaseOf(started)) === "cancelled", { timeoutMs: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(started.upstream.connections).toHaveLength(0);
  });

  it("or is cancelled from the page", async () => {
    const started = await start({ showHangs: true });
    const client = await connect(started.port);
    client.send(request(PROMPT));
    await waitFor(() => started.app.snapshot().exchanges[0]?.model !== undefined);
    const { id } = started.app.snapshot().exchanges[0] ?? {};
    await fetch(`${started.url}/plimsoll/api/exchanges/${id}/cancel`, { method: "POST" });
    await client.ended;
    await waitFor(async () => (await phaseOf(started)) === "cancelled");
    expect(started.upstream.connections).toHaveLength(0);
  });

  it("after it went on, as ever", async () => {
    const started = await start({ answer: false });
    const client = await connect(started.port);
    client.send(request(SMALL));
    await waitFor(() => started.upstream.connections[0]?.received().includes("512"));
    client.socket.end();
    await (started.upstream.connections[0] as UpstreamConnection).closed;
    await waitFor(async () => (await phaseOf(started)) === "cancelled");
  });
});

describe("what cannot be judged goes on", () => {
  it("when Ollama does not describe the model in time", async () => {
    const { port, upstream } = await start({ showHangs: true });
    const client = await connect(port);
    client.send(request(PROMPT));
    await client.until("{}");
    expect(upstream.connections[0]?.received().toString()).toContain(PROMPT);
  });

  it.each([
    ["that is no JSON", "not json}"],
    ["that is a list", "[{}]}"],
    ["without a model", '{"prompt":"x"}'],
    ["with a name that is no text", '{"model":{"a":1},"prompt":"x"}'],
  ])("a body %s", async (_name, body) => {
    const { port, upstream } = await start();
    const client = await connect(port);
    client.send(request(body));
    await client.until("{}");
    expect(upstream.connections[0]?.received().toString()).toContain(body);
  });

  it("a body over 32 MiB, at once when it says its length, and it is said", async () => {
    const { upstream, started } = await startCounting();
    const client = await connect(started.port);
    const body = Buffer.from(`{"model":"llama3.1:8b","prompt":"${"x".repeat(33 * 2 ** 20)}"}`);
    client.send(`POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.send(body.subarray(0, 100));
    await waitFor(() => upstream.bytes() === 100);
    client.send(body.subarray(100));
    await client.until("{}");
    expect(upstream.digest()).toBe(createHash("sha256").update(body).digest("hex"));
    await waitFor(async () => (await started.store.exchanges({})).exchanges[0]?.status === 200);
    const { exchanges } = await started.store.exchanges({});
    expect(exchanges[0]?.notices[0]?.message).toMatch(/unjudged.*too large/);
  });

  it("a chunked body over 32 MiB, once it has grown too large, whole and in order", async () => {
    const { upstream, started } = await startCounting();
    const client = await connect(started.port);
    const whole = createHash("sha256");
    const sendParts = (from: number, to: number): void => {
      for (let index = from; index < to; index += 1) {
        const part = Buffer.alloc(2 ** 20, `${index}x`);
        whole.update(part);
        client.send(
          Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
        );
      }
    };
    client.send("POST /api/generate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    sendParts(0, 31);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(upstream.bytes()).toBe(0);
    sendParts(31, 40);
    client.send("0\r\n\r\n");
    await client.until("{}");
    expect(upstream.bytes()).toBe(40 * 2 ** 20);
    expect(upstream.digest()).toBe(whole.digest("hex"));
  });
});

/** In front of a server that keeps nothing but the sum of what it was sent. */
async function startCounting() {
  let bytes = 0;
  let digest = "";
  const server = http.createServer((incoming, outgoing) => {
    if (incoming.headers["user-agent"] === "plimsoll") {
      outgoing.end('{"version":"0.33.0","models":[]}');
      return;
    }
    const hash = createHash("sha256");
    incoming.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      hash.update(chunk);
    });
    incoming.on("end", () => {
      digest = hash.digest("hex");
      outgoing.end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const started = await startBehind(
    {
      url: `http://127.0.0.1:${port}`,
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    },
    {
      settings: { guard: { mode: "refuse" }, sampling: { intervalMs: 250 } },
      parts: { memorySource: () => memory(GIB) },
    },
  );
  return { started, upstream: { bytes: () => bytes, digest: () => digest } };
}
