/** Every model the simulated Ollama can have; what it has at the start is up to whoever makes it. */
import { buildModel, type Pace, type SimulatedModel } from "./models.ts";

const RECORDED_PACE: Pace = {
  prefill: { fixedMs: 206, perTokenMs: 1.156, perTokenAndDepthMs: 1.82e-4 },
  decode: { perTokenMs: 15.5, perTokenAndDepthMs: 2e-4 },
};

/** The recorded proportions at another size, decoding at its own rate. */
function scaledPace(factor: number, decode: Pace["decode"]): Pace {
  const { fixedMs, perTokenMs, perTokenAndDepthMs } = RECORDED_PACE.prefill;
  return {
    prefill: {
      fixedMs: fixedMs * factor,
      perTokenMs: perTokenMs * factor,
      perTokenAndDepthMs: perTokenAndDepthMs * factor,
    },
    decode,
  };
}

/** Built once: lists of tensors are long and never change. */
export const CATALOGUE: readonly SimulatedModel[] = [
  buildModel({
    name: "llama3.1:8b",
    architecture: "llama",
    sizeLabel: "8B",
    quantization: "Q4_K_M",
    capabilities: ["completion", "tools"],
    layers: 32,
    embedding: 4096,
    feedForward: 14_336,
    heads: 32,
    keyValueHeads: 8,
    headWidth: 128,
    vocabulary: 128_256,
    trainedContext: 131_072,
    tiedEmbedding: false,
    pace: scaledPace(3.13, { perTokenMs: 95, perTokenAndDepthMs: 0.004 }),
  }),
  buildModel({
    name: "qwen2.5-coder:1.5b",
    architecture: "qwen2",
    sizeLabel: "1.5B",
    quantization: "Q4_K_M",
    capabilities: ["completion", "tools", "insert"],
    layers: 28,
    embedding: 1536,
    feedForward: 8960,
    heads: 12,
    keyValueHeads: 2,
    headWidth: 128,
    vocabulary: 151_936,
    trainedContext: 32_768,
    tiedEmbedding: true,
    pace: scaledPace(0.8, { perTokenMs: 26, perTokenAndDepthMs: 0.001 }),
  }),
  buildModel({
    name: "gemma3:270m",
    architecture: "gemma3",
    sizeLabel: "270M",
    quantization: "Q4_K_M",
    capabilities: ["completion"],
    layers: 18,
    embedding: 640,
    feedForward: 2048,
    heads: 4,
    keyValueHeads: 1,
    headWidth: 256,
    vocabulary: 262_144,
    trainedContext: 32_768,
    tiedEmbedding: true,
    slidingWindow: { tokens: 512, every: 6 },
    pace: RECORDED_PACE,
  }),
  buildModel({
    name: "gemma3:4b",
    architecture: "gemma3",
    sizeLabel: "4B",
    quantization: "Q4_K_M",
    capabilities: ["completion", "vision"],
    layers: 34,
    embedding: 2560,
    feedForward: 10_240,
    heads: 8,
    keyValueHeads: 4,
    headWidth: 256,
    vocabulary: 262_208,
    trainedContext: 131_072,
    tiedEmbedding: true,
    slidingWindow: { tokens: 1024, every: 6 },
    pace: scaledPace(1.7, { perTokenMs: 55, perTokenAndDepthMs: 0.001 }),
  }),
  buildModel({
    name: "nomic-embed-text:latest",
    architecture: "nomic-bert",
    sizeLabel: "137M",
    quantization: "F16",
    capabilities: ["embedding"],
    layers: 12,
    embedding: 768,
    feedForward: 3072,
    heads: 12,
    keyValueHeads: 12,
    headWidth: 64,
    vocabulary: 30_522,
    trainedContext: 2048,
    tiedEmbedding: false,
    pace: scaledPace(0.2, { perTokenMs: 0, perTokenAndDepthMs: 0 }),
  }),
];
