import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSseSplitter } from "../../src/ollama/sse.ts";
import { halves, pushInPieces } from "./cuts.ts";

/** Events as `name|data`; `!` stands for one that was left out. */
function events(chunks: readonly Buffer[], maxEventBytes = 1000): string[] {
  const seen: string[] = [];
  const splitter = createSseSplitter({
    maxEventBytes,
    onEvent: ({ name, data }) => seen.push(`${name}|${data.toString()}`),
    onOversize: () => seen.push("!"),
  });
  for (const chunk of chunks) {
    splitter.push(chunk);
  }
  splitter.end();
  return seen;
}

describe("an event stream", () => {
  it.each([
    ["data: a\n\n", ["|a"]],
    ["data:a\n\n", ["|a"]],
    ["data:  a\n\n", ["| a"]],
    ["data: a\r\n\r\ndata: b\r\rdata: c\n\n", ["|a", "|b", "|c"]],
    ["event: start\ndata: a\n\ndata: b\n\n", ["start|a", "|b"]],
    ["data: a\ndata: b\ndata\n\n", ["|a\nb\n"]],
    [": ping\n\n:\ndata: a\n: in between\n\n", ["|a"]],
    ["id: 7\nretry: 1\nwhat: x\ndata: a\n\n", ["|a"]],
    ["event: alone\n\ndata: a\n\n", ["|a"]],
    ["\n\n\ndata: a\n\n\n\n", ["|a"]],
    ["\uFEFFdata: a\n\n", ["|a"]],
    ["\uFEFF: ping\ndata: \uFEFFa\n\n", ["|\uFEFFa"]],
    ["data: [DONE]", ["|[DONE]"]],
    ["data: a\n\ndata: b\n", ["|a", "|b"]],
    ["data: a: b\n\n", ["|a: b"]],
    ["", []],
  ])("%j holds %j", (text, expected) => {
    expect(events([Buffer.from(text)])).toEqual(expected);
  });

  it("is the same however it is cut in two", () => {
    const bytes = Buffer.from(
      '\uFEFFevent: x\r\ndata: {"é":"😀"}\r\n\r\n: ping\r\rdata: 1\ndata: 2\n\ndata: [DONE]\n\n',
    );
    for (const pieces of halves(bytes)) {
      expect(events(pieces)).toEqual(['x|{"é":"😀"}', "|1\n2", "|[DONE]"]);
    }
  });

  it("is the same for any events, line ends and cuts", () => {
    const event = fc.record({
      name: fc.constantFrom("", "delta", "ping"),
      data: fc.array(fc.constantFrom("", "a", "é😀", '{"x":"y"}', ": no comment"), {
        minLength: 1,
        maxLength: 3,
      }),
    });
    const lineEnd = fc.constantFrom("\n", "\r\n", "\r");
    fc.assert(
      fc.property(fc.array(event), lineEnd, fc.integer({ min: 1, max: 20 }), (list, end, size) => {
        const text = list
          .map(({ name, data }) => [
            ...(name ? [`event: ${name}`] : []),
            ...data.map((line) => `data: ${line}`),
            "",
            "",
          ])
          .map((lines) => lines.join(end))
          .join("");
        const pieces: Buffer[] = [];
        pushInPieces(Buffer.from(text), size, (piece) => pieces.push(piece));
        expect(events(pieces)).toEqual(list.map(({ name, data }) => `${name}|${data.join("\n")}`));
      }),
    );
  });
});

describe("an event that is too large", () => {
  it.each([
    ["in one line", `data: ${"x".repeat(40)}\n\n`],
    ["in many lines", `${"data: xxxxxxxx\n".repeat(5)}\n`],
  ])("is left out once and the next is read, %s", (_, large) => {
    const text = `data: a\n\n${large}data: b\n\n`;
    expect(events([Buffer.from(text)], 30)).toEqual(["|a", "!", "|b"]);
    expect(
      events(
        [...Buffer.from(text)].map((byte) => Buffer.from([byte])),
        30,
      ),
    ).toEqual(["|a", "!", "|b"]);
  });
});
