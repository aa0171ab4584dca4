import { describe, expect, it } from "vitest";
import { createMessageReader } from "../../bench/wire/messageReader.ts";

interface Seen {
  messages: { startLine: string; body: string; ended: boolean }[];
  reader: ReturnType<typeof createMessageReader>;
}

function listen(kind: "request" | "answer"): Seen {
  const messages: Seen["messages"] = [];
  const reader = createMessageReader(kind, {
    head: ({ startLine }) => messages.push({ startLine, body: "", ended: false }),
    body(bytes) {
      const message = messages.at(-1);
      if (message !== undefined) {
        message.body += bytes.toString("latin1");
      }
    },
    end() {
      const message = messages.at(-1);
      if (message !== undefined) {
        message.ended = true;
      }
    },
  });
  return { messages, reader };
}

const SIZED = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED =
  "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n4\r\nwiki\r\nA;x=1\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n";

describe("createMessageReader", () => {
  it("reads messages that follow one another, cut at every byte", () => {
    const text = `${SIZED}${CHUNKED}HTTP/1.1 204 No Content\r\n\r\n${SIZED}`;
    for (let size = 1; size <= text.length; size += 1) {
      const { messages, reader } = listen("answer");
      for (let at = 0; at < text.length; at += size) {
        reader.push(Buffer.from(text.slice(at, at + size), "latin1"));
      }
      expect(messages.map(({ body, ended }) => ({ body, ended }))).toEqual([
        { body: "hello", ended: true },
        { body: "wiki0123456789", ended: true },
        { body: "", ended: true },
        { body: "hello", ended: true },
      ]);
      expect(reader.close()).toBe(true);
    }
  });

  it("takes no interim answer for the answer", () => {
    const { messages, reader } = listen("answer");
    reader.push(Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${SIZED}`));
    expect(messages).toEqual([{ startLine: "HTTP/1.1 200 OK", body: "hello", ended: true }]);
  });

  it("reads an answer without a length to the end of the connection", () => {
    const { messages, reader } = listen("answer");
    reader.push(Buffer.from("HTTP/1.1 200 OK\r\n\r\npart"));
    expect(messages[0]?.ended).toBe(false);
    expect(reader.close()).toBe(true);
    expect(messages[0]).toMatchObject({ body: "part", ended: true });
  });

  it("takes a request without a length for one without a body", () => {
    const { messages, reader } = listen("request");
    reader.push(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\n\r\n"));
    expect(messages.map(({ startLine }) => startLine)).toEqual(["GET / HTTP/1.1", "GET /two HTTP/1.1"]);
  });

  it.each([
    ["a head", "HTTP/1.1 200"],
    ["a sized body", SIZED.slice(0, -1)],
    ["a chunk", CHUNKED.slice(0, 60)],
    ["the trailers", CHUNKED.slice(0, -2)],
  ])("says that a connection closed within %s", (_, text) => {
    const { reader } = listen("answer");
    reader.push(Buffer.from(text));
    expect(reader.close()).toBe(false);
  });

  it("gives up on a head without an end", () => {
    const { reader } = listen("answer");
    expect(() => reader.push(Buffer.alloc(70_000, "x"))).toThrow("65536 bytes");
  });
});
