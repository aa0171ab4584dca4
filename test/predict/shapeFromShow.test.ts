import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { ShapeProblem } from "../../src/predict/shapeProblem.ts";
import { shapeOf } from "./support/estimates.ts";
import { llamaLike } from "./support/knownModels.ts";
import { denseTensors } from "./support/tensorLists.ts";

const DIMENSIONS = {
  layers: 4,
  embedding: 256,
  heads: 8,
  keyHeads: 2,
  head: 32,
  ffn: 1024,
  vocabulary: 1000,
};
const METADATA = llamaLike("llama", DIMENSIONS);
const TENSORS = denseTensors({ architecture: "llama", ...DIMENSIONS });

function problemOf(show: unknown): ShapeProblem {
  try {
    shapeFromShow(show);
  } catch (error) {
    if (error instanceof ShapeProblem) return error;
    throw error;
  }
  throw new Error("no problem was found");
}

describe("an answer of /api/show", () => {
  it("gives the weights when it has the tensor list, and leaves them out when it has not", () => {
    expect(shapeOf(METADATA, TENSORS).weights?.tensorCount).toBe(TENSORS.length);
    const short = shapeOf(METADATA);
    expect(short.weights).toBeUndefined();
    expect(short.layers).toEqual(shapeOf(METADATA, TENSORS).layers);
  });

  it("takes a recorded one whose arrays are null", () => {
    const { shows } = JSON.parse(
      readFileSync(new URL("../fixtures/predict/measured-loads.json", import.meta.url), "utf8"),
    ) as { shows: Record<string, { model_info: Record<string, unknown> }> };
    const shape = shapeFromShow({ model_info: shows["gemma3:270m"]?.model_info });
    expect(shape).toMatchObject({ architecture: "gemma3", window: 512, trainedContextLength: 32_768 });
    expect(shape.layers.filter(({ attention }) => attention?.sliding === true)).toHaveLength(15);
  });

  it("leaves weights out, and says so, when a tensor has a type nobody knows", () => {
    const odd = TENSORS.map((tensor, index) => (index === 5 ? { ...tensor, type: "Q9_Z" } : tensor));
    const shape = shapeOf(METADATA, odd);
    expect(shape.weights).toBeUndefined();
    expect(shape.layers).toEqual(shapeOf(METADATA).layers);
    expect(shape.remarks.join()).toContain("Q9_Z");
  });

  it.each([
    ["no name", { type: "F16", shape: [2, 2] }],
    ["no dimensions", { name: "a", type: "F16", shape: [] }],
    ["a negative dimension", { name: "a", type: "F16", shape: [-1] }],
    ["a fractional dimension", { name: "a", type: "F16", shape: [1.5] }],
    ["five dimensions", { name: "a", type: "F16", shape: [1, 1, 1, 1, 1] }],
    ["null", null],
  ])("does not use a tensor list with an entry of %s", (_what, entry) => {
    const shape = shapeOf(METADATA, [...TENSORS, entry]);
    expect(shape.weights).toBeUndefined();
    expect(shape.remarks.join()).toContain("not readable");
  });

  it.each([
    ["text", "not-an-object", "hello"],
    ["a list", "not-an-object", []],
    ["nothing", "not-an-object", undefined],
    ["no model_info", "no-metadata", { details: {} }],
    ["model_info that is null", "no-metadata", { model_info: null }],
    ["no architecture", "no-architecture", { model_info: { "llama.block_count": 4 } }],
    [
      "a model that runs elsewhere",
      "remote-model",
      { remote_host: "https://ollama.com", model_info: METADATA },
    ],
  ])("with %s cannot carry an estimate: %s", (_what, code, show) => {
    expect(problemOf(show).code).toBe(code);
  });

  it.each([1e9, 513, -1, 1.5, Number.NaN, null, "32", 2 ** 60])("refuses %s layers", (layers) => {
    const problem = problemOf({ model_info: { ...METADATA, "llama.block_count": layers } });
    expect(problem.code).toBe("bad-metadata");
    expect(problem.message).toContain("llama.block_count");
  });

  it("counts layers in the tensor list when metadata does not tell", () => {
    expect(shapeOf({ ...METADATA, "llama.block_count": undefined }, TENSORS).layers).toHaveLength(4);
  });

  it.each([-8, 1.5, Number.NaN, Infinity, "x", {}, [1, -2]])(
    "takes head_count_kv %j for missing, which is an upper bound, and says so",
    (value) => {
      const shape = shapeOf({ ...METADATA, "llama.attention.head_count_kv": value });
      expect(shape.layers[0]?.attention?.keyWidth).toBe(8 * 32);
      expect(shape.remarks.join()).toContain("llama.attention.head_count_kv is ");
    },
  );

  it("refuses metadata from which the width of a key cannot be told", () => {
    const bare = { "general.architecture": "llama", "llama.block_count": 4 };
    expect(problemOf({ model_info: bare }).code).toBe("bad-metadata");
  });
});

describe("names and classes", () => {
  it.each([
    ["gptoss", "gpt-oss"],
    ["olmo3", "olmo2"],
    ["qwen25vl", "qwen2vl"],
    ["glm4moelite", "deepseek2"],
  ])("reads %s as %s, and its keys under its own name", (declared, architecture) => {
    const shape = shapeOf({ ...llamaLike(declared, DIMENSIONS), [`${declared}.attention.kv_lora_rank`]: 16 });
    expect(shape).toMatchObject({ architecture, family: declared, known: true });
    expect(shape.layers).toHaveLength(4);
  });

  it("takes an architecture nobody knows for one that keeps everything, and says that this is an upper bound", () => {
    const shape = shapeOf({ ...llamaLike("brandnew", DIMENSIONS), "brandnew.attention.sliding_window": 128 });
    expect(shape.known).toBe(false);
    expect(shape.window).toBeUndefined();
    expect(shape.layers.every(({ attention }) => attention?.keyWidth === 64)).toBe(true);
    expect(shape.remarks.join()).toContain("an upper bound");
  });

  it.each([
    ["gemma3", 26, 22],
    ["gemma2", 26, 13],
    ["gpt-oss", 24, 12],
    ["cohere2", 32, 24],
    ["cohere2moe", 32, 24],
    ["plamo3", 32, 28],
    ["gemma3", 62, 52],
    ["phi3", 40, 0],
    ["qwen2", 28, 0],
  ])("%s with %i layers and a window has %i that look back over it only", (architecture, layers, sliding) => {
    const shape = shapeOf({
      ...llamaLike(architecture, { ...DIMENSIONS, layers }),
      [`${architecture}.attention.sliding_window`]: 512,
    });
    expect(shape.layers.filter(({ attention }) => attention?.sliding === true)).toHaveLength(sliding);
  });

  it("follows the file's own pattern: a period or one flag a layer", () => {
    const windowed = { ...llamaLike("gemma3", DIMENSIONS), "gemma3.attention.sliding_window": 512 };
    const slides = (pattern: unknown) =>
      shapeOf({ ...windowed, "gemma3.attention.sliding_window_pattern": pattern }).layers.map(
        ({ attention }) => attention?.sliding,
      );
    expect(slides(2)).toEqual([true, false, true, false]);
    expect(slides([true, true, false, true])).toEqual([true, true, false, true]);
    expect(slides(0)).toEqual([true, true, true, true]);
  });

  it("gives an encoder no cache, and knows Ollama's embedding Gemma by its dense layers", () => {
    expect(shapeOf(llamaLike("bert", DIMENSIONS))).toMatchObject({ encoder: true, embedding: true });
    const gemma = llamaLike("gemma3", DIMENSIONS);
    expect(shapeOf(gemma, TENSORS).encoder).toBe(false);
    const dense = { name: "dense.0.weight", type: "F16", shape: [256, 1024] };
    expect(shapeOf(gemma, [...TENSORS, dense])).toMatchObject({
      encoder: true,
      architecture: "gemma-embedding",
    });
  });

  it("tells a projector inside the file from one beside it, which is not counted", () => {
    const inside = shapeOf(METADATA, [
      ...TENSORS,
      { name: "v.blk.0.attn_q.weight", type: "F16", shape: [64, 64] },
    ]);
    expect(inside.weights?.projectorBytes).toBe(2 * 64 * 64);
    const beside = shapeFromShow({
      model_info: METADATA,
      tensors: TENSORS,
      projector_info: { "general.architecture": "clip" },
    });
    expect(beside.projector).toBe(true);
    expect(beside.remarks.join()).toContain("projector");
  });

  it("does not run the layers that predict several tokens at once, and counts their bytes apart", () => {
    const shape = shapeOf({ ...METADATA, "llama.nextn_predict_layers": 1 }, TENSORS);
    expect(shape.layers).toHaveLength(3);
    expect(shape.weights?.predictionBytes).toBeGreaterThan(0);
    expect(shape.weights?.totalBytes).toBe(shapeOf(METADATA, TENSORS).weights?.totalBytes);
  });
});
