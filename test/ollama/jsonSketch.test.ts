import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJsonSketch, type JsonSketchLimits } from "../../src/ollama/jsonSketch.ts";
import { pushInPieces } from "./cuts.ts";

function sketch(text: string, { size = 1 << 20, ...limits }: JsonSketchLimits & { size?: number } = {}) {
  const made = createJsonSketch(limits);
  pushInPieces(Buffer.from(text), size, made.push);
  return made;
}

describe("within its limits", () => {
  it("is the document, however it is written and cut", () => {
    const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => typeof value === "object" && value !== null);
    fc.assert(
      fc.property(json, fc.boolean(), fc.integer({ min: 1, max: 20 }), (value, spaced, size) => {
        const text = JSON.stringify(value, null, spaced ? 2 : undefined);
        const made = sketch(text, { size });
        expect(made.whole()).toBe(true);
        expect(made.value()).toEqual(JSON.parse(text));
      }),
    );
  });

  it("knows of no end before the last byte", () => {
    const text = '{"a":"}\\"]","b":[{"c":[1,2]},{}],"d":null}';
    for (let length = 0; length < text.length; length += 1) {
      const made = sketch(text.slice(0, length));
      expect(made.whole()).toBe(false);
      expect(made.value()).toBeUndefined();
    }
    expect(sketch(text).value()).toEqual(JSON.parse(text));
  });

  it("ends with the first value", () => {
    const made = sketch('\n {"a":1}{"a":2} garbage');
    expect(made.value()).toEqual({ a: 1 });
  });

  it("has begun with the first byte that is not white space", () => {
    expect(sketch(" \n").begun()).toBe(false);
    expect(sketch(" {").begun()).toBe(true);
  });

  it.each(['{"a" 1}', "{]", '{"a":tru}', '"text"', "7", "}{", "nonsense"])("%j has no value", (text) => {
    expect(sketch(text).value()).toBeUndefined();
  });
});

describe("the longest list of numbers in the object", () => {
  it("is counted whole, however long it is, however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { maxLength: 90 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        (context, size, spaced) => {
          const text = JSON.stringify({ a: [[1, 2, 3], "x,y"], context, z: 1 }, null, spaced ? 1 : undefined);
          expect(sketch(text, { size, listItems: 4 }).longestNumberList()).toBe(context.length);
        },
      ),
    );
  });

  it.each([
    ["lists of objects or words", { a: [{ b: 1 }, { b: 2 }], c: ["x", "y"] }],
    ["lists further in", { a: { b: [1, 2, 3] } }],
  ])("%s do not count", (_, document) => {
    expect(sketch(JSON.stringify(document)).longestNumberList()).toBe(0);
  });
});

describe("beyond its limits", () => {
  /** What the sketch promises, written down without streaming. */
  function outline(
    value: unknown,
    limits: { listItems: number; listObjects: number; textBytes: number },
  ): unknown {
    if (typeof value === "string") {
      return value.slice(0, limits.textBytes);
    }
    if (Array.isArray(value)) {
      const isObject = (item: unknown): boolean =>
        typeof item === "object" && item !== null && !Array.isArray(item);
      return value
        .filter((item, index) => index < (isObject(item) ? limits.listObjects : limits.listItems))
        .map((item) => outline(item, limits));
    }
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, outline(item, limits)]));
    }
    return value;
  }

  it("keeps the beginning of strings and lists, and everything else", () => {
    const leaf = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "]", "}", ","), maxLength: 9 }),
      fc.integer(),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("tree"), { maxLength: 6 }),
        fc.dictionary(fc.constantFrom("k", "kk"), tie("tree")),
      ),
    }));
    const limits = { listItems: 2, listObjects: 2, textBytes: 4 };
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 9 }), (value, size) => {
        const made = sketch(JSON.stringify({ top: value }), { size, ...limits });
        expect(made.value()).toEqual({ top: outline(value, limits) });
      }),
    );
  });

  it("can keep more objects than other elements", () => {
    const text = JSON.stringify({ tensors: [{ n: 1 }, { n: 2 }, { n: 3 }], tokens: [1, 2, 3] });
    expect(sketch(text, { listItems: 1, listObjects: 5 }).value()).toEqual({
      tensors: [{ n: 1 }, { n: 2 }, { n: 3 }],
      tokens: [1],
    });
  });

  it("is still a document when a string of escapes is cut", () => {
    const text = JSON.stringify({ a: '\n\u0001\u2028"\\é😀'.repeat(20), b: 1 }).replaceAll(
      "\u2028",
      "\\u2028",
    );
    for (let textBytes = 1; textBytes < 60; textBytes += 1) {
      const value = sketch(text, { textBytes, size: 3 }).value();
      expect(value).toMatchObject({ b: 1 });
    }
  });

  it("has no value once the outline itself is too large, but still knows its end", () => {
    const text = JSON.stringify(
      Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`k${key}`, key])),
    );
    const made = sketch(text, { sketchBytes: 100 });
    expect(made.whole()).toBe(true);
    expect(made.value()).toBeUndefined();
  });

  it("follows no nesting without end", () => {
    const made = sketch("[".repeat(1_000_000));
    expect(made.whole()).toBe(false);
    expect(made.value()).toBeUndefined();
  });
});
