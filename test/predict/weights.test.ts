import { describe, expect, it } from "vitest";

import { FILE_TYPES } from "../../src/predict/fileTypes.ts";
import { withFileType } from "../../src/predict/quantize.ts";
import { readBytesPerToken, sumWeightParts, weightParts } from "../../src/predict/weights.ts";
import { MEBIBYTE, shapeOf } from "./support/estimates.ts";
import { llamaLike } from "./support/knownModels.ts";
import { denseTensors, type DenseModel } from "./support/tensorLists.ts";
import { EXPERT_MODELS } from "./support/expertModels.ts";

type Published = [
  tensorBytes: number,
  embedding: number,
  device: number,
  host: number,
  readGigabytes: number,
];

/** Layers, embedding, heads, key heads, head, feed-forward, vocabulary, tied; then what is published. */
const DENSE: readonly [string, string, number[], boolean, Published][] = [
  ["Llama 3.2 1B", "llama", [16, 2048, 32, 8, 64, 8192, 128_256], true, [799_862_784, 205.5, 763, 205, 0.8]],
  [
    "Llama 3.2 3B",
    "llama",
    [28, 3072, 24, 8, 128, 8192, 128_256],
    true,
    [2_011_539_456, 308.2, 1918, 308, 2.012],
  ],
  [
    "Llama 3.1 8B",
    "llama",
    [32, 4096, 32, 8, 128, 14_336, 128_256],
    false,
    [4_912_898_048, 281.8, 4403, 282, 4.617],
  ],
  [
    "Llama 3.3 70B",
    "llama",
    [80, 8192, 64, 8, 128, 28_672, 128_256],
    false,
    [42_512_531_456, 563.6, 39_979, 564, 41.922],
  ],
  [
    "Mistral 7B",
    "llama",
    [32, 4096, 32, 8, 128, 14_336, 32_768],
    false,
    [4_372_054_016, 72, 4098, 72, 4.297],
  ],
  [
    "Mistral Nemo 12B",
    "llama",
    [40, 5120, 32, 8, 128, 14_336, 131_072],
    false,
    [7_469_322_240, 360, 6763, 360, 7.092],
  ],
  [
    "Qwen2.5 7B",
    "qwen2",
    [28, 3584, 28, 4, 128, 18_944, 152_064],
    false,
    [4_677_120_000, 292.4, 4168, 292, 4.371],
  ],
  [
    "Qwen3 8B",
    "qwen3",
    [36, 4096, 32, 8, 128, 12_288, 151_936],
    false,
    [5_021_827_072, 333.8, 4455, 334, 4.672],
  ],
  [
    "Phi-4",
    "phi3",
    [40, 5120, 40, 10, 128, 17_920, 100_352],
    false,
    [9_055_703_040, 275.6, 8361, 276, 8.767],
  ],
  [
    "Gemma 2 9B",
    "gemma2",
    [42, 3584, 16, 8, 256, 14_336, 256_000],
    true,
    [5_755_000_832, 717.8, 5488, 718, 5.755],
  ],
  ["Gemma 3 270M", "gemma3", [18, 640, 4, 1, 256, 2048, 262_144], true, [246_587_904, 170, 235, 170, 0.247]],
  ["Gemma 3 1B", "gemma3", [26, 1152, 4, 1, 256, 6912, 262_144], true, [799_525_120, 306, 762, 306, 0.8]],
  [
    "Gemma 3 4B",
    "gemma3",
    [34, 2560, 8, 4, 256, 10_240, 262_208],
    true,
    [2_483_352_832, 525.1, 2368, 525, 2.483],
  ],
  [
    "Gemma 3 12B",
    "gemma3",
    [48, 3840, 16, 8, 256, 15_360, 262_208],
    true,
    [7_294_226_304, 787.7, 6956, 788, 7.294],
  ],
  [
    "Gemma 3 27B",
    "gemma3",
    [62, 5376, 32, 16, 128, 21_504, 262_208],
    true,
    [16_540_125_824, 1102.8, 15_774, 1103, 16.54],
  ],
];

function denseModel(architecture: string, numbers: number[], tied: boolean): DenseModel {
  const [layers = 0, embedding = 0, heads = 0, keyHeads = 0, head = 0, ffn = 0, vocabulary = 0] = numbers;
  return { architecture, layers, embedding, heads, keyHeads, head, ffn, vocabulary, tied };
}

function quantized(model: DenseModel, fileType: string) {
  return withFileType(shapeOf(llamaLike(model.architecture, model), denseTensors(model)), fileType);
}

const onDevice = (layers: number) =>
  ({ backend: "cuda", engine: "llama-server", offloadedLayers: layers + 1 }) as const;

describe.each(DENSE)("%s at Q4_K_M", (_name, architecture, numbers, tied, published) => {
  const model = denseModel(architecture, numbers, tied);
  const shape = quantized(model, "Q4_K_M");
  const [tensorBytes, embedding, device, host, readGigabytes] = published;
  const split = sumWeightParts(weightParts(shape, onDevice(model.layers)) ?? neverAbsent());

  it("has the published bytes to the byte, by llama-quantize's own rules", () => {
    expect(shape.weights?.totalBytes).toBe(tensorBytes);
    expect((shape.weights?.tokenEmbeddingBytes ?? 0) / MEBIBYTE).toBeCloseTo(embedding, 1);
  });

  it("lies on device and host as published, a tied embedding on both", () => {
    expect(Math.abs(split.deviceBytes / MEBIBYTE - device)).toBeLessThanOrEqual(0.6);
    expect(Math.abs(split.hostBytes / MEBIBYTE - host)).toBeLessThanOrEqual(0.6);
    const copy = tied ? (shape.weights?.tokenEmbeddingBytes ?? 0) : 0;
    expect(split.deviceBytes + split.hostBytes).toBe(tensorBytes + copy);
  });

  it("is read for each token as published", () => {
    const read = readBytesPerToken(shape, onDevice(model.layers)) ?? neverAbsent();
    expect((read.deviceBytes + read.hostBytes) / 1e9).toBeCloseTo(readGigabytes, 3);
  });
});

describe.each(EXPERT_MODELS)(
  "$name at Q4_K_M",
  ({ metadata, tensors, tensorBytes, readGigabytes, deviceMebibytes }) => {
    const shape = withFileType(shapeOf(metadata, tensors), "Q4_K_M");

    it("has the published bytes, of which a token reads the published part", () => {
      expect(shape.weights?.totalBytes).toBe(tensorBytes);
      const read = readBytesPerToken(shape, onDevice(shape.layers.length)) ?? neverAbsent();
      expect((read.deviceBytes + read.hostBytes) / 1e9).toBeCloseTo(readGigabytes, 3);
      const split = sumWeightParts(weightParts(shape, onDevice(shape.layers.length)) ?? neverAbsent());
      expect(Math.abs(split.deviceBytes / MEBIBYTE - deviceMebibytes)).toBeLessThanOrEqual(0.6);
    });
  },
);

describe("a model moved to the device layer by layer", () => {
  const model = denseModel("gemma3", [26, 1152, 4, 1, 256, 6912, 262_144], true);
  const shape = quantized(model, "Q4_K_M");
  const at = (offloadedLayers: number, engine: "llama-server" | "ollama" | "llama" = "llama-server") =>
    weightParts(shape, { backend: "cuda", engine, offloadedLayers }) ?? neverAbsent();

  it("keeps host and device together the same, but for the copy of a tied embedding", () => {
    for (let offloaded = 0; offloaded <= 27; offloaded += 1) {
      const split = sumWeightParts(at(offloaded));
      const copy = offloaded === 0 ? 0 : (shape.weights?.tokenEmbeddingBytes ?? 0);
      expect(split.hostBytes + split.deviceBytes).toBe((shape.weights?.totalBytes ?? 0) + copy);
    }
  });

  it("sends the output first, and before llama-server last", () => {
    expect(at(1).output.deviceBytes).toBeGreaterThan(0);
    expect(at(26, "llama").output.deviceBytes).toBe(0);
    expect(at(27, "llama").output.deviceBytes).toBeGreaterThan(0);
  });

  it("held a tied embedding twice on a CPU too in Ollama's own engine", () => {
    const cpu = { backend: "cpu", engine: "ollama", offloadedLayers: 0 } as const;
    const split = sumWeightParts(weightParts(shape, cpu) ?? neverAbsent());
    expect(split.hostBytes).toBe(
      (shape.weights?.totalBytes ?? 0) + (shape.weights?.tokenEmbeddingBytes ?? 0),
    );
  });
});

describe("other file types", () => {
  const model = denseModel("llama", [32, 4096, 32, 8, 128, 14_336, 128_256], false);

  it.each(
    FILE_TYPES.filter(({ name }) => name !== "MXFP4_MOE").map(({ name, bitsPerWeight }) => [
      name,
      bitsPerWeight,
    ]),
  )("%s takes %d bits a weight on Llama 3.1 8B", (name, bits) => {
    const shape = quantized(model, name);
    const weights =
      shape.tensors?.reduce((sum, { dimensions }) => sum + dimensions.reduce((a, b) => a * b, 1), 0) ?? 0;
    const found = (8 * (shape.weights?.totalBytes ?? 0)) / weights;
    expect(Math.abs(found / bits - 1)).toBeLessThan(0.005);
  });

  it("names the model a loss was measured on, and has none for what was not measured", () => {
    for (const { loss } of FILE_TYPES)
      expect(loss?.model ?? "LLaMA 3 8B, wikitext-2").toContain("LLaMA 3 8B");
    expect(FILE_TYPES.find(({ name }) => name === "BF16")?.loss).toBeUndefined();
  });

  it("refuses a name it does not know and lists those it does", () => {
    expect(() => quantized(model, "Q9_Z")).toThrow(/"Q9_Z" is not known; valid are .*Q4_K_M/);
  });

  it("cannot say anything without a tensor list", () => {
    const shape = withFileType(shapeOf(llamaLike("llama", model)), "Q4_K_M");
    expect(shape.weights).toBeUndefined();
    expect(shape.remarks.join()).toContain("need the tensor list");
  });
});

function neverAbsent(): never {
  throw new Error("there is a tensor list, so there are weights");
}
