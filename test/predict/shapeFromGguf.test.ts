import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ReadBytes } from "../../src/predict/ggufBytes.ts";
import { ggmlTypeNamed } from "../../src/predict/ggmlTypes.ts";
import { shapeFromGguf } from "../../src/predict/shapeFromGguf.ts";
import { ShapeProblem } from "../../src/predict/shapeProblem.ts";
import { shapeOf } from "./support/estimates.ts";
import {
  ggufFile,
  joined,
  sized,
  uint32,
  uint64,
  type GgufPair,
  type GgufParts,
} from "./support/ggufFile.ts";
import { llamaLike } from "./support/knownModels.ts";
import { denseTensors } from "./support/tensorLists.ts";

const DIMENSIONS = { layers: 2, embedding: 64, heads: 4, keyHeads: 2, head: 16, ffn: 128, vocabulary: 100 };
const LISTED = denseTensors({ architecture: "llama", ...DIMENSIONS });
const PAIRS: GgufPair[] = Object.entries(llamaLike("llama", DIMENSIONS)).map(([key, value]) =>
  typeof value === "string" ? { key, kind: "text", value } : { key, kind: "uint32", value: Number(value) },
);
const TENSORS = LISTED.map(({ name, type, shape }) => ({
  name,
  dimensions: shape,
  type: ggmlTypeNamed(type)?.id ?? 0,
}));
const WHOLE = ggufFile({ pairs: PAIRS, tensors: TENSORS });

/** A file that counts what is read of it. */
function fileOf(bytes: Uint8Array): { read: ReadBytes; longest: () => number } {
  let longest = 0;
  const read: ReadBytes = (offset, length) => {
    longest = Math.max(longest, length);
    return offset >= bytes.length ? undefined : bytes.subarray(offset, offset + length);
  };
  return { read, longest: () => longest };
}

function read(parts: GgufParts | Uint8Array) {
  return shapeFromGguf(fileOf(parts instanceof Uint8Array ? parts : ggufFile(parts)).read);
}

function problemOf(parts: GgufParts | Uint8Array): ShapeProblem {
  try {
    read(parts);
  } catch (error) {
    if (error instanceof ShapeProblem) return error;
    throw error;
  }
  throw new Error("no problem was found");
}

describe("a whole header", () => {
  it("gives the shape that /api/show gives of the same model", () => {
    const shown = shapeOf(llamaLike("llama", DIMENSIONS), LISTED);
    expect(read(WHOLE)).toEqual(shown);
    expect(read({ version: 2, pairs: PAIRS, tensors: TENSORS })).toEqual(shown);
  });

  it("reads numbers of every width, flags and per-layer arrays", () => {
    const more: GgufPair[] = [
      { key: "llama.context_length", kind: "uint64", value: 131_072n },
      { key: "llama.rope.freq_base", kind: "float32", value: 500_000 },
      { key: "llama.some.flag", kind: "bool", value: true },
      { key: "llama.attention.head_count_kv", kind: "uint32s", value: [2, 4] },
    ];
    const kept = PAIRS.filter(({ key }) => !more.some((pair) => pair.key === key));
    const shape = read({ pairs: [...kept, ...more] });
    expect(shape.trainedContextLength).toBe(131_072);
    expect(shape.layers.map(({ attention }) => attention?.keyWidth)).toEqual([32, 64]);
  });

  it("passes over a tokenizer and keeps the number of its tokens and merges", () => {
    const tokens = Array.from({ length: 5000 }, (_, index) => `token ${index}`);
    const merges = Array.from({ length: 6000 }, (_, index) => `${index} ${index}`);
    const shape = read({
      pairs: [
        { key: "tokenizer.ggml.model", kind: "text", value: "gpt2" },
        { key: "tokenizer.ggml.tokens", kind: "texts", value: tokens },
        { key: "tokenizer.ggml.merges", kind: "texts", value: merges },
        { key: "tokenizer.ggml.token_type", kind: "uint32s", value: tokens.map(() => 1) },
        { key: "tokenizer.chat_template", kind: "text", value: "x".repeat(100_000) },
        ...PAIRS.filter(({ key }) => key !== "llama.vocab_size"),
      ],
    });
    expect(shape).toMatchObject({ vocabularySize: 5000, mergeCount: 6000 });
  });

  it("keeps the shape and leaves out the weights for a tensor type it does not know", () => {
    const shape = read({ pairs: PAIRS, tensors: TENSORS.map((tensor) => ({ ...tensor, type: 999 })) });
    expect(shape.weights).toBeUndefined();
    expect(shape.layers).toHaveLength(2);
    expect(shape.remarks.join()).toContain("number 999");
  });
});

describe("a header that ends too early", () => {
  it("is said to be truncated, wherever it is cut", () => {
    for (let length = 4; length < WHOLE.length; length += 1) {
      const problem = problemOf(WHOLE.subarray(0, length));
      expect(problem.code).toBe("truncated");
      expect(problem.message).toContain(`the file ends at byte ${length}, in the middle of`);
    }
  });

  it.each([0, 1, 2, 3])("is so with %i bytes too", (length) => {
    expect(problemOf(WHOLE.subarray(0, length)).code).toBe("truncated");
  });
});

describe("a header that lies", () => {
  it.each<[string, GgufParts | Uint8Array, string, string]>([
    [
      "another kind of file",
      joined([uint32(0x04034b50), new Uint8Array(64)]),
      "not-gguf",
      "does not begin with GGUF",
    ],
    ["version 1", { version: 1 }, "not-gguf", "version 1"],
    ["a big-endian file", { version: 0x03000000 }, "not-gguf", "little-endian"],
    ["10^18 pairs", { claimedPairs: 10n ** 18n }, "bad-gguf", "more than any file holds"],
    ["a million pairs", { claimedPairs: 1_000_000n }, "bad-gguf", "1000000 key/value pairs"],
    ["a billion tensors", { claimedTensors: 1_000_000_000n }, "bad-gguf", "1000000000 tensors"],
    [
      "one tensor more than there is",
      { pairs: PAIRS, tensors: TENSORS, claimedTensors: BigInt(TENSORS.length + 1) },
      "truncated",
      `the name of tensor ${TENSORS.length}`,
    ],
    ["a text of 2^40 bytes", { pairs: [raw(8, uint64(2n ** 40n))] }, "bad-gguf", "longer than 256 MiB"],
    [
      "an array of 2^50 numbers",
      { pairs: [raw(9, joined([uint32(4), uint64(2n ** 50n)]))] },
      "bad-gguf",
      "longer than 256 MiB",
    ],
    [
      "an array of 2^63 texts",
      { pairs: [raw(9, joined([uint32(8), uint64(2n ** 63n)]))] },
      "bad-gguf",
      "more than any file holds",
    ],
    [
      "an array of a million empty texts",
      { pairs: [raw(9, joined([uint32(8), uint64(1_000_000n)]))] },
      "truncated",
      "odd.key",
    ],
    [
      "an array of arrays",
      { pairs: [raw(9, joined([uint32(9), uint64(1n)]))] },
      "bad-gguf",
      "array of arrays",
    ],
    ["a value of a type that does not exist", { pairs: [raw(42, uint32(0))] }, "bad-gguf", "value type 42"],
    [
      "an array of a type that does not exist",
      { pairs: [raw(9, joined([uint32(42), uint64(1n)]))] },
      "bad-gguf",
      "value type 42",
    ],
    [
      "a tensor with no dimensions",
      { tensors: [{ name: "a", dimensions: [], type: 0 }] },
      "bad-gguf",
      "0 dimensions",
    ],
    [
      "a tensor with nine dimensions",
      { tensors: [{ name: "a", dimensions: [1, 1, 1, 1, 1, 1, 1, 1, 1], type: 0 }] },
      "bad-gguf",
      "9 dimensions",
    ],
    [
      "a tensor as long as 2^60",
      { tensors: [{ name: "a", dimensions: [2n ** 60n], type: 0 }] },
      "bad-gguf",
      "more than any file holds",
    ],
    ["no architecture", { pairs: [] }, "no-architecture", "general.architecture"],
  ])("%s", (_what, parts, code, words) => {
    const problem = problemOf(parts);
    expect(problem.code).toBe(code);
    expect(problem.message).toContain(words);
  });

  it("never makes the reader ask for more than a mebibyte at once", () => {
    for (const parts of [
      { pairs: [raw(8, uint64(2n ** 27n))] },
      { pairs: [raw(9, joined([uint32(8), uint64(2n ** 40n)]))] },
      { pairs: PAIRS, tensors: TENSORS },
    ]) {
      const file = fileOf(ggufFile(parts));
      try {
        shapeFromGguf(file.read);
      } catch (error) {
        expect(error).toBeInstanceOf(ShapeProblem);
      }
      expect(file.longest()).toBeLessThanOrEqual(1024 * 1024);
    }
  });

  it("is a problem with a name, and nothing worse, whatever bytes are changed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(WHOLE.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = WHOLE.slice();
          for (const [place, value] of changes) bytes[place] = value;
          try {
            const shape = read(bytes);
            expect(Number.isFinite(shape.weights?.totalBytes ?? 0)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(ShapeProblem);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

it("reads a header that is spread over many windows", () => {
  const filler: GgufPair[] = Array.from({ length: 3000 }, (_, index) => ({
    key: `filler.${index}`,
    kind: "text",
    value: "y".repeat(900),
  }));
  const file = fileOf(ggufFile({ pairs: [...filler, ...PAIRS], tensors: TENSORS }));
  expect(shapeFromGguf(file.read).layers).toHaveLength(2);
});

function raw(type: number, value: Uint8Array): GgufPair {
  return { key: "odd.key", kind: "raw", type, value };
}

it("names the key in the middle of which a file ends", () => {
  const bytes = joined([ggufFile({ claimedPairs: 1n }), sized("llama.block_count"), uint32(4)]);
  expect(problemOf(bytes).message).toContain("llama.block_count");
});

describe("a model in several files", () => {
  const splitPairs: GgufPair[] = [...PAIRS, { key: "split.count", kind: "uint32", value: 2 }];
  const first = ggufFile({ pairs: splitPairs, tensors: TENSORS.slice(0, 5) });
  const second = ggufFile({
    pairs: [{ key: "split.no", kind: "uint32", value: 1 }],
    tensors: TENSORS.slice(5),
  });

  it("is the same as in one", () => {
    const whole = shapeFromGguf(fileOf(WHOLE).read);
    const joint = shapeFromGguf(fileOf(first).read, [fileOf(second).read]);
    expect(joint.weights).toEqual(whole.weights);
    expect(joint.layers).toEqual(whole.layers);
  });

  it("is not taken for a smaller model when a file is missing", () => {
    expect(() => shapeFromGguf(fileOf(first).read)).toThrow(/one of 2 files .* 1 were given/);
  });
});
