/** Whatever a client sends: forwarded as it is, or refused with a reason; nothing breaks, and the next request works. */
import { Ollama } from "ollama";
import { afterEach, describe, expect, it } from "vitest";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

describe("what is no valid HTTP is refused with a reason", () => {
  it.each([
    ["rubbish", "\x16\x03\x01 hello\r\n\r\n", /^HTTP\/1\.1 400 .*not valid HTTP/s],
    [
      "Content-Length beside Transfer-Encoding",
      "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      /^HTTP\/1\.1 400 /,
    ],
    [
      "a chunk size that is none",
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      /^HTTP\/1\.1 (400|502) /,
    ],
    ["a header with a NUL", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", /^HTTP\/1\.1 400 /],
    [
      "headers of more than a megabyte",
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(1_100_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*headers over 1048576 bytes/s,
    ],
    ["CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", /^HTTP\/1\.1 405 /],
  ])("%s", async (_name, bytes, answer) => {
    const upstream = await startRawUpstream(answering(OK));
    const { port } = await startBehind(upstream);
    const client = await connect(port);
    client.send(bytes);
    const { text } = await client.ended;
    expect(text).toMatch(answer);
    const next = await connect(port);
    next.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await next.until("ok");
  });
});

describe("what is no valid request to Ollama goes to Ollama", () => {
  it.each([
    ["garbage JSON", Buffer.from('{"model": nonsense')],
    [
      "wrong types",
      Buffer.from('{"model":[1],"stream":"yes","options":7,"messages":{"a":1},"keep_alive":{}}'),
    ],
    ["invalid UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc3, 0x28, 0x22, 0x7d])],
    ["an empty body", Buffer.alloc(0)],
    [
      "a body of keys that JSON objects have anyway",
      Buffer.from('{"__proto__":{"model":"x"},"constructor":1,"model":"m"}'),
    ],
    ["a null", Buffer.from("null")],
    ["deep nesting", Buffer.from("[".repeat(50_000))],
  ])("%s, byte for byte, and is one row", async (_name, body) => {
    const upstream = await startRawUpstream(answering(OK));
    const { port, store } = await startBehind(upstream);
    const client = await connect(port);
    client.send(
      Buffer.concat([
        Buffer.from(`POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`),
        body,
      ]),
    );
    await client.until("ok");
    const received = upstream.connections[0]?.received() ?? Buffer.alloc(0);
    expect(received.subarray(received.indexOf("\r\n\r\n") + 4).equals(body)).toBe(true);
    await waitFor(async () => {
      const { exchanges } = await store.exchanges({ without: "other" });
      return exchanges.length === 1 && exchanges[0]?.status === 200;
    });
  });
});

it("keeps a client that sends nothing from disturbing the others", async () => {
  const upstream = await startRawUpstream(answering(OK));
  const { port } = await startBehind(upstream);
  const silent = await Promise.all(Array.from({ length: 200 }, () => connect(port)));
  const client = await connect(port);
  client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await client.until("ok");
  for (const { socket } of silent) {
    socket.destroy();
  }
});

it("carries a pull to its end, and records it", async () => {
  const simulated = createSimulatedOllama({ instant: true, models: [] });
  const { url } = await simulated.listen();
  const started = await startBehind({ url, close: () => simulated.close() });
  const client = new Ollama({ host: started.url });
  const statuses: string[] = [];
  for await (const part of await client.pull({ model: "gemma3:270m", stream: true })) {
    statuses.push(part.status);
  }
  expect(statuses.at(-1)).toBe("success");
  await waitFor(async () => {
    const { exchanges } = await started.store.exchanges({ operation: "pull" });
    return exchanges[0]?.state.phase === "completed" && exchanges[0].model === "gemma3:270m";
  });
});
