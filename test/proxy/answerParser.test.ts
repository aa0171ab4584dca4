import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAnswerParser } from "../../src/proxy/answerParser.ts";
import { parseHead, type AnswerHead, type Framing } from "../../src/proxy/answerHead.ts";

interface Seen {
  informations: AnswerHead[];
  head?: AnswerHead;
  framing?: Framing;
  framed: string;
  carried: string;
  pieces: string[];
  trailers?: string[];
  properEnd: boolean;
}

/** What a parser tells of an answer that arrives in these reads and is then closed. */
function read(parts: readonly Buffer[], { method = "POST", maxHeadBytes = 10_000 } = {}): Seen {
  const seen: Seen = { informations: [], framed: "", carried: "", pieces: [], properEnd: false };
  const parser = createAnswerParser(
    {
      information: (head) => seen.informations.push(head),
      head: (head, framing) => Object.assign(seen, { head, framing }),
      body(framed, pieces) {
        seen.framed += framed.toString("latin1");
        seen.pieces.push(...pieces.map((piece) => piece.toString("latin1")));
        seen.carried = seen.pieces.join("");
      },
      end: (trailers) => Object.assign(seen, { trailers }),
    },
    { method, maxHeadBytes },
  );
  for (const part of parts) {
    parser.push(part);
  }
  seen.properEnd = parser.closed();
  return seen;
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** The text cut once, at every place; and into single bytes. */
function* cuts(text: string): Generator<Buffer[]> {
  for (let at = 0; at <= text.length; at += 1) {
    yield [bytes(text.slice(0, at)), bytes(text.slice(at))];
  }
  yield text.split("").map(bytes);
}

const CHUNKED =
  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
  "HTTP/1.1 200 OK\r\nDate: now\r\ndate: again\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
  '5\r\nhello\r\n0a;name="x"\r\n0123456789\r\n1\r\n!\r\n0\r\nX-Sum: 16\r\n\r\n';

describe("cut at every byte", () => {
  it("a chunked answer with an early one before it and trailers after it", () => {
    for (const parts of cuts(CHUNKED)) {
      const seen = read(parts);
      expect(seen.informations.map((head) => head.statusCode)).toEqual([103]);
      expect(seen.head?.rawHeaders).toEqual(
        "Date|now|date|again|X-Empty||Transfer-Encoding|chunked|Trailer|X-Sum".split("|"),
      );
      // As it came, up to the last chunk.
      expect(seen.framed).toBe('5\r\nhello\r\n0a;name="x"\r\n0123456789\r\n1\r\n!\r\n');
      expect(seen.carried).toBe("hello0123456789!");
      expect(seen.trailers).toEqual(["X-Sum", "16"]);
      expect(seen.properEnd).toBe(true);
    }
  });

  it("an answer of known length, and nothing that comes after it", () => {
    for (const parts of cuts(
      "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\n\r\n",
    )) {
      const seen = read(parts);
      expect([seen.head?.statusMessage, seen.carried, seen.trailers]).toEqual(["Not Found", "body", []]);
    }
  });

  it("an answer that ends with its connection", () => {
    for (const parts of cuts("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall of this")) {
      expect(read(parts)).toMatchObject({ carried: "all of this", properEnd: true, trailers: [] });
    }
  });
});

it("ends with the head where no body can follow", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n";
  expect(read([bytes(head)], { method: "HEAD" })).toMatchObject({ framing: { kind: "none" }, trailers: [] });
  expect(read([bytes("HTTP/1.1 204 No Content\r\n\r\n")]).trailers).toEqual([]);
  expect(read([bytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]).trailers).toEqual([]);
});

it("keeps each chunk a piece where a read holds whole ones, whatever their sizes and the reads", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, fc.array(fc.integer({ min: 1, max: 5000 })), (lengths, readLengths) => {
      const chunks = lengths.map((length, index) => String(index % 10).repeat(length));
      const body = chunks
        .map((chunk) => `${chunk.length.toString(16).toUpperCase()}\r\n${chunk}\r\n`)
        .join("");
      const all = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`;
      expect(read([bytes(all)]).pieces).toEqual(chunks);
      const parts: Buffer[] = [];
      let at = 0;
      for (const length of readLengths) {
        parts.push(bytes(all.slice(at, at + length)));
        at += length;
      }
      const seen = read([...parts, bytes(all.slice(at))]);
      expect(seen.framed).toBe(body);
      expect(seen.carried).toBe(chunks.join(""));
      expect(seen.properEnd).toBe(true);
    }),
  );
});

it("knows a cut from an end", () => {
  const whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (let length = 0; length < whole.length; length += 1) {
    expect(read([bytes(whole.slice(0, length))]).properEnd).toBe(false);
  }
  expect(read([bytes("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")]).properEnd).toBe(false);
});

describe("refuses, and never quotes,", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  it.each([
    ["what is no HTTP", "SSH-2.0-OpenSSH"],
    ["HTTP/2", "HTTP/2 200\r\n\r\n"],
    ["a status that is no number", "HTTP/1.1 abc OK\r\n\r\n"],
    ["a field without a name", `${head}: x\r\n\r\n`],
    ["a folded field", `${head}A: b\r\n c\r\n\r\n`],
    ["a space before the colon", `${head}Content-Length : 3\r\n\r\nabc`],
    ["a NUL in a value", `${head}A: \0\r\n\r\n`],
    ["a bare line feed in a value", `${head}A: b\nContent-Length: 3\r\n\r\n`],
    ["two lengths", `${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`],
    ["a length that is no number", `${head}Content-Length: +3\r\n\r\n`],
    ["length and chunks", `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ["a chunk without a size", `${head}Transfer-Encoding: chunked\r\n\r\n\r\nabc`],
    ["a negative chunk size", `${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
    ["a chunk size with a prefix", `${head}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n`],
    ["a chunk size beyond exact integers", `${head}Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n`],
    ["a size line with a bare line feed", `${head}Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n`],
    ["a chunk longer than its size", `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n`],
    ["an endless size line", `${head}Transfer-Encoding: chunked\r\n\r\n3;${"x".repeat(5000)}`],
    ["an endless head", `${head}A: ${"x".repeat(10_001)}`],
  ])("%s", (_name, text) => {
    expect(() => read([bytes(text)])).toThrow(
      expect.objectContaining({ name: "HeadError", code: "not-http" }),
    );
    expect(() => read(text.split("").map(bytes))).toThrow(/^(?!.*(SSH|abcd))/);
  });
});

it("never fails in another way, whatever arrives", () => {
  const part = fc.oneof(
    fc.constantFrom(
      "HTTP/1.1 200 OK\r\n",
      "Transfer-Encoding: chunked\r\n",
      "\r\n",
      "0\r\n",
      "3\r\nabc\r\n",
      ":",
      ";",
    ),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      try {
        read(parts.map(bytes));
      } catch (error) {
        expect(error).toMatchObject({ name: "HeadError" });
      }
    }),
    { numRuns: 500 },
  );
});

it("takes the blanks around a value off, and takes no time over those inside", () => {
  const inside = `a${" ".repeat(900_000)}b`;
  const begun = performance.now();
  const head = parseHead(Buffer.from(`HTTP/1.1 200 OK\r\nX: \t ${inside} \t\r\nY: \t \r\nZ:\r\n\r\n`));
  expect(head.rawHeaders).toEqual(["X", inside, "Y", "", "Z", ""]);
  expect(performance.now() - begun).toBeLessThan(1000);
});
