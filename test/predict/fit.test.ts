import { describe, expect, it } from "vitest";

import { explainEstimate } from "../../src/predict/explain.ts";
import { fitEstimate, needBytes, type FitMachine } from "../../src/predict/fit.ts";
import { largestContextThatFits } from "../../src/predict/largestContext.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { whatIfTable, type SpeedAtFullDepth } from "../../src/predict/whatIf.ts";
import { estimateFor, shapeOf } from "./support/estimates.ts";
import { KNOWN_MODELS, llamaLike } from "./support/knownModels.ts";
import { denseTensors, tensorsOfShape } from "./support/tensorLists.ts";

const DIMENSIONS = {
  layers: 16,
  embedding: 2048,
  heads: 32,
  keyHeads: 8,
  head: 64,
  ffn: 8192,
  vocabulary: 128_256,
};
const SHAPE = shapeOf(
  llamaLike("llama", DIMENSIONS),
  denseTensors({ architecture: "llama", ...DIMENSIONS, tied: true }),
);
const GIBIBYTE = 1024 ** 3;

describe("a need against what is free", () => {
  const estimate = estimateFor(SHAPE, { contextLength: 8192 });
  const need = needBytes(estimate, {}).host;

  it("counts everything, compute buffers included: the first large prompt touches them", () => {
    expect(need).toBe(estimate.totalBytes);
    expect(need).toBeGreaterThan(estimate.residentHostBytes ?? 0);
  });

  it("fits with room, is tight with little, and overflows by so many bytes", () => {
    const at = (headroomBytes: number) => fitEstimate(estimate, { headroomBytes, totalBytes: 16 * GIBIBYTE });
    expect(at(12 * GIBIBYTE).verdict).toBe("fits");
    expect(at(need + 1).verdict).toBe("tight");
    expect(at(need).verdict).toBe("tight");
    expect(at(need - 1)).toMatchObject({ verdict: "overflows", shortBytes: 1, headroomBytes: need - 1 });
    expect(at(-5).shortBytes).toBe(need + 5);
  });

  it("counts what the load would replace", () => {
    const machine = { headroomBytes: need - GIBIBYTE, totalBytes: 16 * GIBIBYTE };
    expect(fitEstimate(estimate, machine).verdict).toBe("overflows");
    expect(fitEstimate(estimate, { ...machine, freedBytes: 4 * GIBIBYTE }).verdict).toBe("fits");
  });

  it("is unknown without a measured headroom, and without weights unless the rest alone overflows", () => {
    expect(fitEstimate(estimate, {}).verdict).toBe("unknown");
    const bare = estimateFor(shapeOf(llamaLike("llama", DIMENSIONS)), { contextLength: 131_072 });
    expect(fitEstimate(bare, { headroomBytes: 64 * GIBIBYTE }).verdict).toBe("unknown");
    expect(fitEstimate(bare, { headroomBytes: GIBIBYTE }).verdict).toBe("overflows");
  });

  it("keeps prompts in mind that llama-server will hold on to", () => {
    const large = estimateFor(SHAPE, { contextLength: 131_072 });
    const machine = { headroomBytes: needBytes(large, {}).host + 4 * GIBIBYTE };
    expect(fitEstimate(large, machine).verdict).toBe("tight");
    expect(fitEstimate({ ...large, promptCacheLimitBytes: 0 }, machine).verdict).toBe("fits");
  });
});

describe("a device of its own and one memory for both", () => {
  const estimate = estimateFor(SHAPE, { contextLength: 8192, backend: "cuda" });
  const { host, device } = needBytes(estimate, {});

  it("overflows when either does, by what the worse one is short of", () => {
    const at = (deviceFreeBytes: number) =>
      fitEstimate(estimate, { headroomBytes: 32 * GIBIBYTE, deviceFreeBytes });
    expect(at(device).verdict).toBe("fits");
    expect(at(device - 7)).toMatchObject({ verdict: "overflows", shortBytes: 7 });
    expect(fitEstimate(estimate, { headroomBytes: host - 3, deviceFreeBytes: device }).shortBytes).toBe(3);
  });

  it("counts unified memory once", () => {
    expect(needBytes(estimate, { unifiedMemory: true })).toEqual({ host: host + device, device: 0 });
    expect(needBytes(estimate, { unifiedMemory: true, mappedTwiceBytes: 100 }).host).toBe(
      host + device - 100,
    );
    const machine: FitMachine = { headroomBytes: host + device - 1, unifiedMemory: true, deviceFreeBytes: 0 };
    expect(fitEstimate(estimate, machine).shortBytes).toBe(1);
  });
});

describe("the largest context that fits", () => {
  it("is where one step more overflows", () => {
    for (const gibibytes of [3.5, 4, 5, 6.3]) {
      const machine = { headroomBytes: gibibytes * GIBIBYTE };
      const found = largestContextThatFits({ shape: SHAPE }, machine) ?? 0;
      const verdict = (contextLength: number) =>
        fitEstimate(estimateFor(SHAPE, { contextLength }), machine).verdict;
      expect(found % 256).toBe(0);
      expect(verdict(found)).not.toBe("overflows");
      expect(verdict(found + 256)).toBe("overflows");
    }
  });

  it("is the trained length when all of it fits, 0 when nothing does, and unknown without a machine", () => {
    expect(largestContextThatFits({ shape: SHAPE }, { headroomBytes: 64 * GIBIBYTE })).toBe(131_072);
    expect(largestContextThatFits({ shape: SHAPE }, { headroomBytes: GIBIBYTE })).toBe(0);
    expect(largestContextThatFits({ shape: SHAPE }, {})).toBeUndefined();
  });

  it("grows when the cache is quantised and shrinks with more slots", () => {
    const machine = { headroomBytes: 5 * GIBIBYTE };
    const at = (query: object) => largestContextThatFits({ shape: SHAPE, query }, machine) ?? 0;
    expect(at({ kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" })).toBeGreaterThan(at({}));
    expect(at({ parallel: 4 })).toBeLessThan(at({}));
  });
});

describe("the table of what could be", () => {
  const axes = { contexts: [4096, 32_768], kvCacheTypes: ["f16", "q8_0"], quantizations: ["Q8_0", "q4_k_m"] };
  const machine = { headroomBytes: 3 * GIBIBYTE, totalBytes: 8 * GIBIBYTE };
  const table = whatIfTable({ shape: SHAPE }, axes, { machine });

  it("has a cell for every combination, with bytes, verdict and what the file type lost elsewhere", () => {
    expect(table.cells).toHaveLength(8);
    expect(table.cells[0]).toMatchObject({ quantization: "Q8_0", kvCacheType: "f16", contextLength: 4096 });
    for (const cell of table.cells) {
      expect(cell.totalBytes).toBeGreaterThan(cell.kvCacheBytes);
      expect(cell.fit.verdict).not.toBe("unknown");
      expect(cell.loss?.model).toContain("LLaMA 3 8B");
    }
  });

  it("has the speed of each cell with its context full, where that is known", () => {
    expect(table.cells.map((cell) => cell.decodeTokensPerSecond)).toEqual(Array(8).fill(undefined));
    const speed: SpeedAtFullDepth = (_shape, { contextLength, kvCacheTypeK }) =>
      kvCacheTypeK === "f16" ? { value: 1e6 / contextLength, low: 1, high: 1000 } : undefined;
    const known = whatIfTable({ shape: SHAPE }, axes, { machine, speed });
    expect(known.cells.map((cell) => cell.decodeTokensPerSecond?.value)).toEqual([
      1e6 / 4096,
      1e6 / 32_768,
      undefined,
      undefined,
      1e6 / 4096,
      1e6 / 32_768,
      undefined,
      undefined,
    ]);
  });

  it("agrees with the estimate of one configuration", () => {
    const cell = whatIfTable({ shape: SHAPE }, { contexts: [8192], kvCacheTypes: ["q8_0"] }, { machine: {} })
      .cells[0];
    const one = estimateFor(SHAPE, { contextLength: 8192, kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" });
    expect(cell).toMatchObject({ totalBytes: one.totalBytes, loss: undefined });
    expect(cell?.quantization).toBeUndefined();
  });

  it("names 3-bit TurboQuant as not to be had, with its nominal figure, and computes nothing with it", () => {
    expect(table.notYet).toMatchObject([
      { bitsPerElement: 3.125, note: expect.stringContaining("not in llama.cpp yet") },
    ]);
    const asked = () =>
      whatIfTable({ shape: SHAPE }, { contexts: [4096], kvCacheTypes: ["turboquant"] }, { machine: {} });
    expect(asked).toThrow(/valid are f32, f16/);
  });

  it("stops at a thousand cells", () => {
    const contexts = Array.from({ length: 600 }, (_, index) => 256 * (index + 1));
    expect(
      whatIfTable({ shape: SHAPE }, { contexts, kvCacheTypes: ["f16", "q8_0"] }, { machine: {} }).cells,
    ).toHaveLength(1000);
  });
});

describe("the sum line by line", () => {
  it.each(KNOWN_MODELS)("adds up to the estimate for $name", ({ metadata }) => {
    const shape = shapeOf(metadata, tensorsOfShape(shapeOf(metadata)));
    for (const query of [{}, { backend: "cuda", kvCacheTypeK: "q8_0", parallel: 3 } as const]) {
      const settings = resolveSettings({ shape, query: { contextLength: 4096, ...query } });
      const lines = explainEstimate(shape, settings);
      const total = lines.at(-1);
      const sum = lines.slice(0, -1).reduce((bytes, line) => bytes + line.bytes, 0);
      expect(total?.label).toBe("total");
      expect(sum).toBe(total?.bytes);
      expect(total?.bytes).toBe(estimateFor(shape, { contextLength: 4096, ...query }).totalBytes);
    }
  });

  it("gives each line a formula that comes out at its bytes", () => {
    const settings = resolveSettings({ shape: SHAPE, query: { contextLength: 4096 } });
    const cache = explainEstimate(SHAPE, settings).find(({ label }) => label === "cache: full");
    expect(cache?.formula).toBe("16 layers · 4096 cells · (1024 K + 1024 V bytes) · 1 stream");
    expect(cache?.bytes).toBe(16 * 4096 * (1024 + 1024));
  });

  it("ends in what is known when the weights are not", () => {
    const bare = shapeOf(llamaLike("llama", DIMENSIONS));
    const lines = explainEstimate(bare, resolveSettings({ shape: bare }));
    expect(lines.some(({ label }) => label.startsWith("weights"))).toBe(false);
    expect(lines.at(-1)?.formula).toBe("known parts only");
  });
});
