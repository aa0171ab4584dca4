import { warnedScene } from "./harness.ts";
import type { Scene } from "./pageServer.ts";
import { estimate } from "./story.ts";

const gibibyte = 1024 ** 3;

/** Six contexts; from 65,536 on nothing fits. */
export function askedScene(asked: unknown[] = []): Scene {
  const cell = (contextLength: number, kvCacheType: string, quantization?: string) => ({
    contextLength,
    kvCacheType,
    quantization,
    totalBytes: (3 + contextLength / 16_384) * gibibyte,
    kvCacheBytes: 1,
    fit:
      contextLength >= 65_536
        ? { verdict: "overflows", shortBytes: 2 * gibibyte }
        : { verdict: contextLength >= 32_768 ? "tight" : "fits" },
    loss: quantization && { perplexityRatio: 0.028, imatrix: false, model: "LLaMA 3 8B", source: "a table" },
  });
  const scene = warnedScene();
  return {
    ...scene,
    answers: {
      ...scene.answers,
      "GET /api/tags": () => ({ models: [{ name: "gemma3:4b" }, { name: "llama3.1:8b" }] }),
      "GET /plimsoll/api/predict": (_, url) => {
        asked.push(Object.fromEntries(url.searchParams));
        return {
          ...estimate(Number(url.searchParams.get("contextLength"))),
          explanation: [
            {
              label: "weights",
              formula: "tensors of the layers",
              bytes: 2.4 * gibibyte,
              provenance: "derived",
            },
            { label: "total", formula: "sum of the above", bytes: 3.6 * gibibyte, provenance: "derived" },
          ],
        };
      },
      "POST /plimsoll/api/predict/table": (body) => {
        const { quantizations, kvCacheTypes = [] } = body as {
          quantizations?: string[];
          kvCacheTypes: string[];
        };
        if (quantizations) return { cells: quantizations.map((name) => cell(8192, "f16", name)) };
        const contexts = [2048, 4096, 8192, 16_384, 32_768, 65_536];
        return { cells: kvCacheTypes.flatMap((type) => contexts.map((context) => cell(context, type))) };
      },
    },
  };
}
