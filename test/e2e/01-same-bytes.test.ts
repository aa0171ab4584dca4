/** Promise 1. What the client sends reaches Ollama, and what Ollama answers reaches the client, byte for byte. */
import { afterEach, describe, expect, it } from "vitest";
import { connect, dechunk, parseAnswer } from "../support/rawClient.ts";
import { answering, startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function behind(onConnection: (connection: UpstreamConnection) => void = answering(OK)) {
  const upstream = await startRawUpstream(onConnection);
  const plimsoll = await startBehind(upstream);
  return { upstream, plimsoll, client: await connect(plimsoll.port) };
}

/** Sends one request and returns what the upstream received. */
async function sent(
  request: string | Buffer,
  until = "\r\n\r\n",
): Promise<{ upstream: string; answer: string }> {
  const { upstream, client } = await behind();
  client.send(request);
  const answer = await client.until("ok");
  return { upstream: await (upstream.connections[0] as UpstreamConnection).until(until), answer };
}

describe("the request", () => {
  it("keeps header names, case, order and repetition; only Host changes", async () => {
    const { upstream, plimsoll, client } = await behind();
    client.send(
      `POST /api/chat?x=%2F&&y HTTP/1.1\r\nhOsT: localhost:${plimsoll.port}\r\nX-One: a\r\nx-one: b\r\nX-ONE: c\r\n` +
        "AuThorization: Bearer secret\r\nUser-Agent:   spaced \r\nContent-Length: 2\r\n\r\n{}",
    );
    await client.until("ok");
    expect(upstream.connections[0]?.received().toString("latin1")).toBe(
      `POST /api/chat?x=%2F&&y HTTP/1.1\r\nhOsT: 127.0.0.1:${upstream.port}\r\nX-One: a\r\nx-one: b\r\nX-ONE: c\r\n` +
        "AuThorization: Bearer secret\r\nUser-Agent: spaced\r\nContent-Length: 2\r\n\r\n{}",
    );
  });

  it("leaves out hop-by-hop fields and those named in Connection, and adds none", async () => {
    const { upstream } = await sent(
      "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, X-Private\r\nKeep-Alive: timeout=5\r\n" +
        "Proxy-Connection: x\r\nTE: trailers\r\nUpgrade: h2c\r\nX-Private: 1\r\nX-Kept: 1\r\n\r\n",
    );
    expect(upstream.split("\r\n").slice(2)).toEqual(["X-Kept: 1", "", ""]);
  });

  it("never lets Connection drop the framing", async () => {
    const { upstream } = await sent(
      "POST /api/x HTTP/1.1\r\nHost: localhost\r\nConnection: content-length, host\r\nContent-Length: 3\r\n\r\nabc",
      "abc",
    );
    expect(upstream).toContain("Content-Length: 3\r\n\r\nabc");
    expect(upstream).toMatch(/\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  });

  it.each([
    "//",
    "/a//b",
    "/api/../api/tags",
    "/api/%2e%2e/x%2Fy",
    "/?",
    "/plimsoll%2f",
    "//plimsoll/",
    "/Plimsoll",
    "/plimsollx",
    "/api/blobs/sha256:abc?x=a b".replace(" ", "+"),
    "/%F0%9F%98%80?q=%zz",
    "/x#y",
  ])("sends the target %s as received", async (target) => {
    const { upstream } = await sent(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(upstream.split("\r\n")[0]).toBe(`GET ${target} HTTP/1.1`);
  });

  it("sends an absolute-form target as path and query", async () => {
    const { upstream } = await sent(
      "GET http://localhost:1/api/tags?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    expect(upstream.split("\r\n")[0]).toBe("GET /api/tags?a=1 HTTP/1.1");
  });

  it("keeps a chunked upload chunked, with its trailers", async () => {
    const { upstream } = await sent(
      "POST /api/blobs/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
        "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n",
      "X-Sum: 7\r\n\r\n",
    );
    const body = upstream.slice(upstream.indexOf("\r\n\r\n") + 4);
    const { chunks, complete, trailers } = dechunk(Buffer.from(body, "latin1"));
    expect(Buffer.concat(chunks).toString()).toBe("abcdefg");
    expect(complete).toBe(true);
    expect(trailers).toContain("X-Sum: 7");
  });

  it("does not touch zstd or gzip bodies, or bytes that are no text", async () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    const { upstream, client } = await behind();
    client.send(
      Buffer.concat([
        Buffer.from(
          "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: zstd\r\nContent-Length: 512\r\n\r\n",
        ),
        bytes,
      ]),
    );
    await client.until("ok");
    const received = upstream.connections[0]?.received() ?? Buffer.alloc(0);
    expect(received.subarray(received.indexOf("\r\n\r\n") + 4).equals(bytes)).toBe(true);
  });

  it("gives an HTTP/1.0 request without Host the upstream's", async () => {
    const { upstream } = await sent("GET /api/version HTTP/1.0\r\nX-A: 1\r\n\r\n");
    expect(upstream).toMatch(/^GET \/api\/version HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nX-A: 1\r\n\r\n$/);
  });

  it("passes Expect: 100-continue on, and the body only after Ollama asked for it", async () => {
    const upstream = await startRawUpstream((connection) => {
      void connection.until("\r\n\r\n").then(async (head) => {
        expect(head).toContain("Expect: 100-continue");
        expect(head.endsWith("\r\n\r\n")).toBe(true);
        connection.socket.write("HTTP/1.1 100 Continue\r\n\r\n");
        await connection.until("body");
        connection.socket.write(OK);
      });
    });
    const plimsoll = await startBehind(upstream);
    const client = await connect(plimsoll.port);
    client.send(
      "POST /api/x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    expect(await client.until("100 Continue\r\n\r\n")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("body");
    await client.until("ok");
  });

  it("says no 100 to an HTTP/1.0 client, who would take it for the answer", async () => {
    const upstream = await startRawUpstream((connection) => {
      connection.socket.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    });
    const plimsoll = await startBehind(upstream);
    const client = await connect(plimsoll.port);
    client.send(
      "POST /api/x HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody",
    );
    expect((await client.ended).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each(["http://localhost:{port}", "http://127.0.0.1:{port}"])(
    "drops Origin only when it is our own (%s)",
    async (template) => {
      const { upstream, plimsoll, client } = await behind();
      const origin = template.replace("{port}", String(plimsoll.port));
      const host = origin.slice("http://".length);
      client.send(`GET /api/tags HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n\r\n`);
      await client.until("ok");
      expect(upstream.connections[0]?.received().toString()).not.toContain("Origin");
    },
  );

  it.each(["null", "http://localhost:3000", "app://obsidian.md", "https://localhost"])(
    "keeps a foreign Origin: %s",
    async (origin) => {
      const { upstream } = await sent(
        `GET /api/tags HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\n\r\n`,
      );
      expect(upstream).toContain(`Origin: ${origin}\r\n`);
    },
  );
});

describe("the answer", () => {
  async function answered(answer: string | Buffer, request = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n") {
    const { client } = await behind(answering(answer));
    client.send(request);
    return client;
  }

  it("keeps status text, header names, order and repetition, and adds nothing", async () => {
    const head =
      "HTTP/1.1 299 Rather Odd\r\ncontent-TYPE: x/y\r\nSet-Cookie: a=1\r\nX-Z: 1\r\nset-cookie: b=2\r\nContent-Length: 3\r\n\r\n";
    const client = await answered(`${head}abc`);
    expect(await client.until("abc")).toBe(`${head}abc`);
  });

  it.each([
    ["with its length", "Content-Length: 3", "abc"],
    ["in chunks", "Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"],
    ["of no bytes", "Content-Length: 0", ""],
    ["that comes later", "Content-Length: 3", ""],
  ])("keeps bytes beyond ASCII in its head, before a body %s", async (_name, framing, body) => {
    const answer = Buffer.from(`HTTP/1.1 200 Größe ✓\r\nX-Name: é 日本\r\n${framing}\r\n\r\n${body}`);
    const client = await answered(answer);
    await waitFor(() => client.received().length >= answer.length);
    expect(client.received().equals(answer)).toBe(true);
  });

  it("keeps chunks apart and passes trailers", async () => {
    const client = await answered(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 5\r\n\r\n",
    );
    const text = await client.until("X-Sum: 5\r\n\r\n");
    const { chunks, complete, trailers } = dechunk(Buffer.from(parseAnswer(text).body, "latin1"));
    expect(chunks.map(String)).toEqual(["ab", "cde"]);
    expect(complete).toBe(true);
    expect(trailers).toContain("X-Sum: 5");
  });

  it.each([
    ["204 No Content", "HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"],
    ["304 Not Modified", 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'],
  ])("passes %s without a body", async (_name, answer) => {
    const client = await answered(answer);
    expect(await client.until("\r\n\r\n")).toBe(answer);
    // The connection is usable for the next request, so nothing was added behind the head.
    client.send("GET /y HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await client.until(answer + answer);
  });

  it("passes the length of a HEAD answer and no body", async () => {
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 24\r\nContent-Type: text/plain\r\n\r\n";
    const client = await answered(answer, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await client.until("\r\n\r\n")).toBe(answer);
  });

  it("passes 1xx answers on", async () => {
    const client = await answered(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nX-Hint: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    expect(await client.until("ok")).toBe(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nX-Hint: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
  });

  it("gives an HTTP/1.0 client no chunks and ends by closing", async () => {
    const client = await answered(
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
      "POST /api/generate HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}",
    );
    const { text, how } = await client.ended;
    expect(how).toBe("fin");
    expect(text).toBe("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\nabcde");
  });

  it("leaves gzip bodies packed", async () => {
    const answer = Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n"),
      Buffer.from("1f8b080062696e617279ff00", "hex"),
    ]);
    const client = await answered(answer);
    await client.until("binary");
    expect(client.received().equals(answer)).toBe(true);
  });

  it("relays an answer that comes before the upload has ended", async () => {
    const { client } = await behind((connection) => {
      void connection
        .until("\r\n\r\n")
        .then(() => connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    });
    client.send(
      "POST /api/blobs/sha256:x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nfirst bytes",
    );
    expect(await client.until("\r\n\r\n")).toBe("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });

  it("ignores Upgrade where Ollama ignores it", async () => {
    const { client } = await behind();
    client.send(
      "GET /api/version HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
    );
    expect(await client.until("ok")).toBe(OK);
  });

  it("serves several requests on one connection, pipelined too, in order", async () => {
    let count = 0;
    const upstream = await startRawUpstream((connection) => {
      connection.onChunk(() => {
        count += 1;
        connection.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nn${count}`);
      });
    });
    const plimsoll = await startBehind(upstream);
    const client = await connect(plimsoll.port);
    const one = "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1";
    client.send(one + one);
    await client.until("n2");
    client.send(one);
    const text = await client.until("n3");
    expect(text.match(/n\d/g)).toEqual(["n1", "n2", "n3"]);
  });
});
