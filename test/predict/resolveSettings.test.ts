import { describe, expect, it } from "vitest";

import { SettingsProblem, type EstimateSettings } from "../../src/predict/estimateSettings.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import type { SettingsInput } from "../../src/predict/settingsSource.ts";
import { shapeOf } from "./support/estimates.ts";
import { llamaLike } from "./support/knownModels.ts";
import { denseTensors } from "./support/tensorLists.ts";

const DIMENSIONS = {
  layers: 16,
  embedding: 2048,
  heads: 32,
  keyHeads: 8,
  head: 64,
  ffn: 8192,
  vocabulary: 128_256,
};
const SHAPE = shapeOf(llamaLike("llama", DIMENSIONS), denseTensors({ architecture: "llama", ...DIMENSIONS }));
const GIBIBYTE = 1024 ** 3;

function settle(input: Partial<SettingsInput> = {}): EstimateSettings {
  return resolveSettings({ shape: SHAPE, ...input });
}

function said(settings: EstimateSettings, name: string): { value: string; provenance: string } {
  const found = settings.assumptions.find((assumption) => assumption.name === name);
  return { value: found?.value ?? "", provenance: found?.provenance ?? "" };
}

function notes(settings: EstimateSettings): string {
  return settings.assumptions
    .filter(({ name }) => name === "note")
    .map(({ value }) => value)
    .join("\n");
}

function problemOf(input: Partial<SettingsInput>): SettingsProblem {
  try {
    settle(input);
  } catch (error) {
    if (error instanceof SettingsProblem) return error;
    throw error;
  }
  throw new Error("no problem was found");
}

describe("where a value comes from", () => {
  const everything: Partial<SettingsInput> = {
    query: { contextLength: 1024 },
    runner: { contextLength: 2048, totalContextLength: 2048, parallel: 1 },
    ps: { contextLength: 3072 },
    modelParameters: 'num_ctx                        5120\nstop "x"',
    environment: { OLLAMA_CONTEXT_LENGTH: "6144" },
    vramBytes: 64 * GIBIBYTE,
  };

  it.each([
    ["the question", [], 1024, "assumed", "as asked"],
    ["the runner's arguments", ["query"], 2048, "measured", "from the runner's arguments"],
    ["/api/ps", ["query", "runner"], 3072, "measured", "from /api/ps"],
    ["the model's own parameters", ["query", "runner", "ps"], 5120, "measured", "the model's own parameters"],
    [
      "the environment",
      ["query", "runner", "ps", "modelParameters"],
      6144,
      "measured",
      "OLLAMA_CONTEXT_LENGTH",
    ],
    [
      "Ollama's default",
      ["query", "runner", "ps", "modelParameters", "environment"],
      131_072,
      "derived",
      "262144",
    ],
  ])("the context: %s", (_what, without, contextLength, provenance, words) => {
    const input = { ...everything };
    for (const name of without) delete input[name as keyof SettingsInput];
    const settings = settle(input);
    expect(settings.contextLength).toBe(contextLength);
    const list = `${said(settings, "contextLength").value} ${said(settings, "totalContextLength").value}`;
    expect(list).toContain(words);
    expect([
      said(settings, "contextLength").provenance,
      said(settings, "totalContextLength").provenance,
    ]).toContain(provenance);
  });

  it("names every setting once", () => {
    const names = settle().assumptions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining([
        "engine",
        "backend",
        "contextLength",
        "parallel",
        "kvCacheTypeK",
        "batch",
        "ubatch",
        "flashAttention",
        "mmap",
      ]),
    );
  });

  it("takes slots and cache type from the environment", () => {
    const settings = settle({ environment: { OLLAMA_NUM_PARALLEL: "4", OLLAMA_KV_CACHE_TYPE: "Q8_0" } });
    expect(settings).toMatchObject({
      parallel: 4,
      kvCacheTypeK: "q8_0",
      kvCacheTypeV: "q8_0",
      totalContextLength: 16_384,
    });
  });

  it("takes from llama-server's own variables what Ollama gives no argument for", () => {
    const environment = {
      LLAMA_ARG_CACHE_TYPE_K: "q8_0",
      LLAMA_ARG_SWA_FULL: "true",
      LLAMA_ARG_KV_UNIFIED: "on",
      LLAMA_ARG_N_GPU_LAYERS: "7",
    };
    expect(settle({ environment, vramBytes: 1 })).toMatchObject({
      kvCacheTypeK: "q8_0",
      kvCacheTypeV: "f16",
      fullSlidingWindow: true,
      unifiedKv: true,
      offloadedLayers: 7,
    });
    // No such program reads them before v0.30, and an argument of Ollama's wins over the variable.
    expect(settle({ environment, ollamaVersion: "0.24.0" })).toMatchObject({
      kvCacheTypeK: "f16",
      fullSlidingWindow: false,
      unifiedKv: false,
    });
    expect(settle({ environment: { ...environment, OLLAMA_KV_CACHE_TYPE: "q4_0" } }).kvCacheTypeK).toBe(
      "q4_0",
    );
    expect(settle({ environment: { LLAMA_ARG_SWA_FULL: "Yes" } }).fullSlidingWindow).toBe(false);
  });

  it.each(["0", "-1", "many", "1.5", "", " ", "99999999999999"])(
    "does not believe OLLAMA_NUM_PARALLEL=%j",
    (value) => {
      expect(settle({ environment: { OLLAMA_NUM_PARALLEL: value } }).parallel).toBe(1);
    },
  );
});

describe("the context", () => {
  it("of a slot is clipped to what the model was trained for, as Ollama does, and that is said", () => {
    const settings = settle({ query: { contextLength: 1_000_000 } });
    expect(settings.contextLength).toBe(131_072);
    expect(notes(settings)).toContain("1000000 is clipped to 131072");
  });

  it("of all slots is not clipped, only noted", () => {
    const settings = settle({ query: { totalContextLength: 1_000_000 } });
    expect(settings.totalContextLength).toBe(1_000_000);
    expect(notes(settings)).toContain("not clipped, only noted");
  });

  it("of all slots is shared among them", () => {
    const settings = settle({ query: { totalContextLength: 8192, parallel: 4 } });
    expect(settings).toMatchObject({ contextLength: 2048, totalContextLength: 8192 });
    expect(settle({ query: { totalContextLength: 8192, parallel: 4, unifiedKv: true } }).contextLength).toBe(
      8192,
    );
  });

  it.each([
    [undefined, 4096],
    [8 * GIBIBYTE, 4096],
    [24 * GIBIBYTE, 32_768],
    [48 * GIBIBYTE, 131_072],
  ])("with %s bytes of graphics memory is %i by default", (vramBytes, contextLength) => {
    expect(settle({ vramBytes }).contextLength).toBe(contextLength);
  });

  it("was 4096 by default before v0.15.5, whatever the graphics memory", () => {
    expect(settle({ vramBytes: 48 * GIBIBYTE, ollamaVersion: "0.15.4" }).contextLength).toBe(4096);
  });

  it("is raised to what Ollama loads at least", () => {
    expect(settle({ query: { contextLength: 1 } }).contextLength).toBe(4);
  });
});

describe("slots", () => {
  const family = (name: string) => shapeOf(llamaLike(name, DIMENSIONS));

  it.each(["qwen3next", "lfm2", "nemotron_h", "qwen3vl"])("are one for %s, whatever was set", (name) => {
    expect(settle({ shape: family(name), environment: { OLLAMA_NUM_PARALLEL: "4" } }).parallel).toBe(1);
    expect(settle({ shape: family(name), query: { parallel: 4 } }).parallel).toBe(4);
  });

  it("were two by default before v0.10", () => {
    expect(settle({ ollamaVersion: "0.9.6" }).parallel).toBe(2);
    expect(settle({ ollamaVersion: "0.10.0" }).parallel).toBe(1);
  });

  it("are one for a model made for embeddings, which reads 2048 tokens at once", () => {
    const shape = shapeOf({ ...llamaLike("bert", DIMENSIONS), "bert.context_length": 8192 });
    expect(settle({ shape, query: { contextLength: 8192 } })).toMatchObject({
      parallel: 1,
      batch: 2048,
      ubatch: 2048,
    });
  });
});

describe("the batch", () => {
  it.each([
    [4096, 1, 512],
    [4352, 1, 1024],
    [1024, 4, 512],
    [2048, 4, 1024],
    [32_768, 1, 1024],
    [8192, 5, 2048],
  ])("with %i tokens for each of %i slots is %i", (contextLength, parallel, batch) => {
    expect(settle({ query: { contextLength, parallel } })).toMatchObject({ batch, ubatch: batch });
  });

  it("was 512 before v0.30 and is without flash attention on CUDA", () => {
    expect(settle({ query: { contextLength: 65_536 }, ollamaVersion: "0.29.9" }).batch).toBe(512);
    expect(settle({ query: { contextLength: 65_536, backend: "cuda", flashAttention: false } }).batch).toBe(
      512,
    );
  });

  it("steps down where Ollama's own prediction leaves no room on the device", () => {
    const at = (deviceFreeBytes: number) =>
      settle({ query: { contextLength: 65_536, backend: "cuda" }, deviceFreeBytes }).batch;
    expect([at(64 * GIBIBYTE), at(8 * GIBIBYTE), at(4 * GIBIBYTE)]).toEqual([2048, 1024, 512]);
  });

  it("computed at once is never more than the batch or the context", () => {
    expect(settle({ query: { batch: 256, ubatch: 512 } }).ubatch).toBe(256);
    expect(settle({ query: { totalContextLength: 100, ubatch: 512 } }).ubatch).toBe(100);
  });
});

describe("cache types and flash attention", () => {
  it("lists the valid types when one is not accepted, and says what is not to be had yet", () => {
    const problem = problemOf({ query: { kvCacheTypeK: "turbo3" } });
    expect(problem.setting).toBe("kvCacheTypeK");
    expect(problem.message).toContain("valid are f32, f16, bf16, q8_0, q4_0, q4_1, iq4_nl, q5_0, q5_1");
    expect(problem.message).toContain("not in llama.cpp yet");
  });

  it.each(["Q8", "q3_K", "fp8", "", "f16; rm"])("does not accept %j", (kvCacheTypeV) => {
    expect(problemOf({ query: { kvCacheTypeV } }).setting).toBe("kvCacheTypeV");
  });

  it("accepted only f16, q8_0 and q4_0 before v0.30", () => {
    expect(problemOf({ query: { kvCacheTypeK: "q5_1" }, ollamaVersion: "0.24.0" }).message).toContain(
      "valid are f16, q8_0, q4_0",
    );
  });

  it("cannot have quantised values without flash attention, and quantised keys can", () => {
    const off = { flashAttention: false };
    expect(problemOf({ query: { ...off, kvCacheTypeV: "q8_0" } }).message).toContain("needs flash attention");
    expect(settle({ query: { ...off, kvCacheTypeK: "q8_0" } }).kvCacheTypeK).toBe("q8_0");
  });

  it("fell back to f16 quietly in the old engine without flash attention, and that is said", () => {
    const environment = { OLLAMA_KV_CACHE_TYPE: "q8_0" };
    const settings = settle({ environment, ollamaVersion: "0.24.0" });
    expect(settings.kvCacheTypeK).toBe("f16");
    expect(notes(settings)).toContain("is ignored by this version");
    const switchedOn = { ...environment, OLLAMA_FLASH_ATTENTION: "1" };
    expect(settle({ environment: switchedOn, ollamaVersion: "0.24.0" }).kvCacheTypeK).toBe("q8_0");
  });

  it("says when a quantised cache would fail to load", () => {
    const odd = shapeOf(llamaLike("llama", { ...DIMENSIONS, head: 80 }));
    expect(notes(settle({ shape: odd, query: { kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" } }))).toContain(
      "do not divide by 32",
    );
  });
});

describe("versions and engines", () => {
  it.each([
    ["0.33.0-rc2", "llama", "llama-server", false],
    ["0.30.0", "llama", "llama-server", true],
    ["0.29.9", "llama", "llama", true],
    ["0.29.9", "gemma3", "ollama", false],
    ["v1.2", "gemma3", "llama-server", false],
    ["0.0.0", "gemma3", "llama-server", false],
    ["my-fork", "gemma3", "llama-server", false],
    [undefined, "gemma3", "llama-server", false],
  ])("%s runs %s in %s", (ollamaVersion, family, engine, reservesAllLogits) => {
    const shape = shapeOf(llamaLike(family, DIMENSIONS));
    expect(settle({ shape, ollamaVersion })).toMatchObject({ engine, reservesAllLogits });
  });

  it("has a prompt cache in llama-server only, as long as its environment says", () => {
    const at = (set: string | undefined) =>
      settle({ environment: { LLAMA_ARG_CACHE_RAM: set } }).promptCacheLimitBytes;
    expect(at(undefined)).toBe(8 * GIBIBYTE);
    expect(at("0")).toBe(0);
    expect(at("512")).toBe(GIBIBYTE / 2);
    expect(at("-1")).toBeUndefined();
    expect(settle({ ollamaVersion: "0.24.0" }).promptCacheLimitBytes).toBeUndefined();
  });
});

describe("layers on a device", () => {
  it("are all, when nothing is said, and no more than there are", () => {
    expect(settle({ query: { backend: "cuda" } }).offloadedLayers).toBe(17);
    expect(settle({ query: { backend: "cuda", offloadedLayers: 99 } }).offloadedLayers).toBe(17);
    expect(settle({ runner: { offloadedLayers: 5 } })).toMatchObject({ backend: "cuda", offloadedLayers: 5 });
    expect(settle({ query: { backend: "cpu", offloadedLayers: 5 } }).offloadedLayers).toBe(0);
  });

  it("decide with the backend whether the file is mapped", () => {
    const mmap = (query: SettingsInput["query"]) => settle({ query }).mmap;
    expect(mmap({ backend: "cpu" })).toBe(false);
    expect(mmap({ backend: "cuda" })).toBe(true);
    expect(mmap({ backend: "metal" })).toBe(true);
    expect(mmap({ backend: "metal", offloadedLayers: 5 })).toBe(false);
    expect(mmap({ backend: "cpu", mmap: true })).toBe(true);
  });
});

describe("numbers that are no setting", () => {
  it.each([
    ["contextLength", 0],
    ["contextLength", -4096],
    ["contextLength", 1.5],
    ["contextLength", Number.NaN],
    ["totalContextLength", 2 ** 40],
    ["parallel", 0],
    ["parallel", 10_000],
    ["batch", Infinity],
    ["ubatch", -1],
    ["offloadedLayers", -1],
  ])("%s %d is refused by name", (name, value) => {
    const problem = problemOf({ query: { [name]: value } });
    expect(problem.setting).toBe(name);
    expect(problem.message).toContain(String(value));
  });

  it("a backend that is none is refused with those there are", () => {
    expect(problemOf({ query: { backend: "tpu" as never } }).message).toContain("cpu, cuda, metal");
  });
});
