import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineSplitter, type LineSplitter, type LineSplitterOptions } from "../../src/ollama/ndjson.ts";
import { halves, pushInPieces } from "./cuts.ts";

/** Feeds a splitter and returns its lines; `!` stands for one that was left out. */
function split(feed: (splitter: LineSplitter) => void, options: Partial<LineSplitterOptions> = {}): string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter({
    maxLineBytes: 1000,
    onLine: (line) => lines.push(line.toString()),
    onOversize: () => lines.push("!"),
    ...options,
  });
  feed(splitter);
  splitter.end();
  return lines;
}

const TEXT = Buffer.from('{"a":"é€😀"}\n\n{"b":1}\r\nlast 😀');
const LINES = ['{"a":"é€😀"}', "", '{"b":1}', "last 😀"];

describe("lines", () => {
  it("are the same however the bytes are cut in two", () => {
    for (const [head, tail] of halves(TEXT)) {
      expect(
        split(({ push }) => {
          push(head);
          push(tail);
        }),
      ).toEqual(LINES);
    }
  });

  it.each([1, 2, 3, 5, 1000])("are the same in pieces of %d bytes", (size) => {
    expect(split(({ push }) => pushInPieces(TEXT, size, push))).toEqual(LINES);
  });

  it("are the same for any text and any cuts", () => {
    const text = fc.array(fc.constantFrom("a", "é", "😀", "\n", "\r\n", '{"x":1}'), { maxLength: 30 });
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (parts, sizes) => {
        const bytes = Buffer.from(parts.join(""));
        const expected = parts
          .join("")
          .split("\n")
          .map((line) => line.replace(/\r$/, ""));
        if (expected.at(-1) === "") {
          expected.pop();
        }
        const lines = split(({ push }) => {
          for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            push(bytes.subarray(start, start + size));
            start += size;
          }
        });
        expect(lines).toEqual(expected);
      }),
    );
  });

  it("take plain Uint8Arrays too", () => {
    expect(split(({ push }) => push(new TextEncoder().encode("a\nb")))).toEqual(["a", "b"]);
  });
});

describe("a line that is too long", () => {
  const bytes = Buffer.from(`short\n${"x".repeat(50)}\nagain\n${"y".repeat(21)}\nend`);

  it.each([1, 7, 20, 1000])("is left out once and the next is read, in pieces of %d bytes", (size) => {
    const lines = split(({ push }) => pushInPieces(bytes, size, push), { maxLineBytes: 20 });
    expect(lines).toEqual(["short", "!", "again", "!", "end"]);
  });

  it("is left out at the end of the stream as well", () => {
    expect(split(({ push }) => push(Buffer.from("x".repeat(21))), { maxLineBytes: 20 })).toEqual(["!"]);
  });

  it("may be exactly as long as the limit", () => {
    expect(
      split(({ push }) => pushInPieces(Buffer.from(`${"x".repeat(20)}\n`), 3, push), { maxLineBytes: 20 }),
    ).toEqual(["x".repeat(20)]);
  });
});

describe("a long line in many pieces", () => {
  it("costs time in proportion to its length", () => {
    const splitMs = (bytes: number): number => {
      const piece = Buffer.alloc(64, "x");
      const start = performance.now();
      const lines = split(
        ({ push }) => {
          for (let sent = 0; sent < bytes; sent += piece.length) {
            push(piece);
          }
        },
        { maxLineBytes: bytes },
      );
      expect(lines[0]).toHaveLength(bytes);
      return performance.now() - start;
    };
    splitMs(1 << 18);
    const small = splitMs(1 << 19);
    const large = splitMs(1 << 23);
    // 16 times the bytes; copying anew for every piece would take 256 times as long.
    expect(large).toBeLessThan(100 * Math.max(small, 1));
  });
});

describe("with CR as a line end of its own", () => {
  const bytes = Buffer.from("a\rb\r\nc\n\r\rd\r");

  it("CR, LF and CRLF each end one line, however the bytes are cut in two", () => {
    for (const [head, tail] of halves(bytes)) {
      const lines = split(
        ({ push }) => {
          push(head);
          push(tail);
        },
        { crEndsLine: true },
      );
      expect(lines).toEqual(["a", "b", "c", "", "", "d"]);
    }
  });
});
