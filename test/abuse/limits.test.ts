/** Headers, addresses and bodies at their limits: what passes is untouched, what does not is refused with its limit. */
import { zstdCompressSync } from "node:zlib";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createBodyReader } from "../../src/ollama/bodyReader.ts";
import type { RequestFacts } from "../../src/types.ts";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterAll(cleanUp);

const MIB = 1024 * 1024;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const upstream = await startRawUpstream(answering(OK));
const { port, store, app } = await startBehind(upstream);

async function ask(bytes: string | Buffer) {
  const before = upstream.connections.length;
  const client = await connect(port);
  client.send(bytes);
  await Promise.race([client.ended, client.until("ok").catch(() => "")]);
  const text = client.received().toString("latin1");
  client.socket.destroy();
  const received = upstream.connections[before]?.received().toString("latin1");
  return { status: Number(text.slice(9, 12)), text, received };
}

describe("the head of a request", () => {
  it.each([
    ["a value of 900 KB", `X-A: ${"a".repeat(900_000)}\r\n`],
    ["a name of 60 KB", `X-${"a".repeat(60_000)}: 1\r\n`],
    ["5,000 fields", Array.from({ length: 5000 }, (_, index) => `X-${index}: ${index}\r\n`).join("")],
  ])("%s passes untouched", async (_name, fields) => {
    const { status, received } = await ask(`GET /api/x HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
    expect(status).toBe(200);
    expect(received?.includes(fields)).toBe(true);
  });

  it("an address of 60 KB passes untouched, and is cut in the record", async () => {
    const target = `/api/${"x".repeat(60_000)}`;
    const { status, received } = await ask(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(status).toBe(200);
    expect(received?.split(" ")[1]).toBe(target);
    await store.flush(5000);
    const { exchanges } = await store.exchanges({});
    expect(Math.max(...exchanges.map(({ path }) => path.length))).toBeLessThanOrEqual(2048);
  });

  it.each([
    [
      "fields of 2 MB together",
      Array.from({ length: 2000 }, (_, index) => `X-${index}: ${"a".repeat(1000)}\r\n`).join(""),
    ],
    ["one of 2 MB", `X: ${"a".repeat(2 * MIB)}\r\n`],
  ])("%s are refused with the limit", async (_name, fields) => {
    const { status, text, received } = await ask(`GET /api/x HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
    expect(status).toBe(431);
    expect(text).toContain("1048576");
    expect(received).toBeUndefined();
  });

  it("an address of 2 MB is refused", async () => {
    const { status, received } = await ask(`GET /${"a".repeat(2 * MIB)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([400, 414, 431]).toContain(status);
    expect(received).toBeUndefined();
  });
});

it("a client that waits to be asked for the body of a question to us is asked", async () => {
  const client = await connect(port);
  client.send(
    "POST /plimsoll/api/predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
  );
  await client.until("HTTP/1.1 100 Continue\r\n\r\n");
  client.send("{}");
  await client.until("HTTP/1.1 400 Bad Request\r\n");
  client.socket.destroy();
});

describe("decompression bombs", () => {
  const readers: ReturnType<typeof createBodyReader>[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) await reader.close();
  });

  const bomb = (bytes: number): Buffer => zstdCompressSync(Buffer.alloc(bytes, " "));

  async function read(body: Buffer): Promise<RequestFacts> {
    const reader = createBodyReader();
    readers.push(reader);
    return new Promise((resolve) => {
      const open = reader.open({ operation: "chat", dialect: "openai", contentEncoding: "zstd" }, resolve);
      open.push(body);
      open.finish();
    });
  }

  it.each([64 * MIB, 512 * MIB])(
    "%d bytes in a few kilobytes are not unpacked beyond the limit",
    async (bytes) => {
      const body = bomb(bytes);
      expect(body.length).toBeLessThan(64 * 1024);
      const before = process.memoryUsage().rss;
      const facts = await read(body);
      expect(facts.model).toBeUndefined();
      expect(process.memoryUsage().rss - before).toBeLessThan(96 * MIB);
    },
  );

  it("one inside another, a cut one and rubbish give no facts and no exception", async () => {
    for (const body of [
      zstdCompressSync(bomb(MIB)),
      bomb(MIB).subarray(0, 40),
      Buffer.from("(\xb5/\xfd rubbish", "latin1"),
      Buffer.alloc(0),
    ]) {
      expect((await read(body)).model).toBeUndefined();
    }
  });

  it("a bomb is forwarded as it is, and the next chat is served at once", async () => {
    const body = bomb(256 * MIB);
    const { status, received } = await ask(
      Buffer.concat([
        Buffer.from(
          `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: zstd\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
        body,
      ]),
    );
    expect(status).toBe(200);
    expect(
      Buffer.from(received ?? "", "latin1")
        .subarray(-body.length)
        .equals(body),
    ).toBe(true);
    const begun = performance.now();
    expect((await ask("GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n")).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(1000);
    expect(app.snapshot().health.recorder.dropped).toBe(0);
  });
});
