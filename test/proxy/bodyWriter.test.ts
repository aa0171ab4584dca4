import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createBodyWriter } from "../../src/proxy/bodyWriter.ts";
import { frameChunk } from "../../src/proxy/upstream.ts";
import { dechunk, parseAnswer } from "../support/rawClient.ts";

interface PieceWriter {
  write(chunk: Buffer): boolean;
}

/** One piece at a time, framed as Ollama would have framed it. */
function pieceWriter(
  outgoing: http.ServerResponse,
  options: Parameters<typeof createBodyWriter>[1],
): PieceWriter {
  const writer = createBodyWriter(outgoing, options);
  return {
    write: (chunk) => writer.write(options.upstreamChunked ? frameChunk(chunk) : chunk, [chunk]),
  };
}

let close = async (): Promise<void> => {};
afterEach(() => close());

/** What a client receives of an answer that `write` makes, with chunked framing or without. */
async function received(
  write: (writer: PieceWriter) => void | Promise<void>,
  {
    head = ["Transfer-Encoding", "chunked"],
    upstreamChunked = true,
    request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  }: { head?: string[]; upstreamChunked?: boolean; request?: string } = {},
): Promise<Buffer> {
  const server = http.createServer(async (_incoming, outgoing) => {
    outgoing.sendDate = false;
    outgoing.writeHead(200, "OK", head);
    await write(pieceWriter(outgoing, { upstreamChunked, onDrain: () => {} }));
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  close = async () => {
    server.closeAllConnections();
    server.close();
  };
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect(port, "127.0.0.1");
  client.write(request);
  const parts: Buffer[] = [];
  for await (const part of client) {
    parts.push(part as Buffer);
  }
  await close();
  return Buffer.concat(parts);
}

const bodyOf = (bytes: Buffer): Buffer => bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);

describe("with chunked framing", () => {
  it("keeps every chunk a chunk of its own, whatever comes together and whatever its size", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(fc.boolean()), async (lengths, pauses) => {
        const chunks = lengths.map((length, index) => Buffer.alloc(length, `${index % 10}`));
        const bytes = await received(async (writer) => {
          for (const [index, chunk] of chunks.entries()) {
            writer.write(chunk);
            if (pauses[index] === true) {
              await new Promise((resolve) => setImmediate(resolve));
            }
          }
        });
        const seen = dechunk(bodyOf(bytes));
        expect(seen.complete).toBe(true);
        expect(seen.chunks.map((chunk) => chunk.toString("latin1"))).toEqual(
          chunks.map((chunk) => chunk.toString("latin1")),
        );
      }),
      { numRuns: 40 },
    );
  });

  it("sends the head with the first chunk, before any other", async () => {
    const bytes = await received((writer) => {
      writer.write(Buffer.from("a"));
      writer.write(Buffer.from("bc"));
    });
    expect(parseAnswer(bytes.toString()).statusLine).toBe("HTTP/1.1 200 OK");
    expect(bodyOf(bytes).toString()).toBe("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n");
  });
});

it("adds no framing where the length is known", async () => {
  const bytes = await received(
    (writer) => {
      writer.write(Buffer.from("abc"));
      writer.write(Buffer.from("de"));
    },
    { head: ["Content-Length", "5"], upstreamChunked: false },
  );
  expect(bodyOf(bytes).toString()).toBe("abcde");
});

it("takes the pieces out of their frames for a client that knows no chunks", async () => {
  const bytes = await received(
    (writer) => {
      writer.write(Buffer.from("abc"));
      writer.write(Buffer.from("de"));
    },
    { head: [], request: "GET / HTTP/1.0\r\n\r\n" },
  );
  expect(bodyOf(bytes).toString()).toBe("abcde");
});

it("frames the pieces of a body that ends with its connection, so that the client can tell the end from a cut", async () => {
  const bytes = await received((writer) => void writer.write(Buffer.from("abc")), { upstreamChunked: false });
  expect(bodyOf(bytes).toString()).toBe("3\r\nabc\r\n0\r\n\r\n");
});

it("says when the client is slower, and when it has caught up", async () => {
  let drained = 0;
  let refused = 0;
  const server = http.createServer(async (_incoming, outgoing) => {
    outgoing.writeHead(200, { "transfer-encoding": "chunked" });
    let go = (): void => {};
    const writer = pieceWriter(outgoing, {
      upstreamChunked: true,
      onDrain: () => {
        drained += 1;
        go();
      },
    });
    for (let index = 0; index < 20_000; index += 1) {
      if (!writer.write(Buffer.alloc(1000))) {
        refused += 1;
        await new Promise<void>((resolve) => (go = resolve));
      } else if (index % 50 === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    outgoing.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  close = async () => {
    server.closeAllConnections();
    server.close();
  };
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect(port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  client.pause();
  await vi.waitFor(() => expect(refused).toBe(1), { timeout: 10_000 });
  expect(drained).toBe(0);
  let bytes = 0;
  for await (const part of client) {
    bytes += (part as Buffer).length;
  }
  expect(drained).toBe(refused);
  expect(bytes).toBeGreaterThan(20_000_000);
});
