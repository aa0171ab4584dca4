import { beforeEach, expect, it } from "vitest";

import { createAccuracy, type Accuracy } from "../../src/predict/accuracy.ts";
import { createCalibration } from "../../src/predict/calibration.ts";
import { createLoadPredictions, type LoadPredictions } from "../../src/predictions/loads.ts";
import { readModel } from "../../src/predictions/modelKnowledge.ts";
import type { Load } from "../../src/types.ts";

const model = readModel({
  details: { family: "llama" },
  model_info: {
    "general.architecture": "llama",
    "llama.block_count": 16,
    "llama.context_length": 131_072,
    "llama.embedding_length": 2048,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.attention.key_length": 64,
    "llama.attention.value_length": 64,
    "llama.vocab_size": 1000,
    "llama.feed_forward_length": 2048,
  },
});

const MIB = 1024 ** 2;
let serverEnvironment: Record<string, string> | undefined;
let requestedContext: number | undefined;
let accuracy: Accuracy;
let loads: LoadPredictions;

beforeEach(() => {
  serverEnvironment = undefined;
  requestedContext = undefined;
  accuracy = createAccuracy({ now: () => 1000 });
  loads = createLoadPredictions({
    known: () => model,
    requestedContext: () => requestedContext,
    machine: () => ({ ollamaVersion: "0.24.0", backend: "cpu", environment: serverEnvironment }),
    calibration: createCalibration({ machine: "here" }),
    accuracy,
    now: () => 1000,
    onLearned: () => {},
  });
});

/** A runner of v0.24: its arguments name the model alone. */
function load(settings: Load["settings"] = {}): Load {
  return { id: "load", startedAt: 0, model: "m", cause: "first", contextLength: 8192, settings };
}

const kvBytes = (of: Load): number | undefined => of.predicted?.kvCacheBytes.hostBytes;

it("takes what the runner's arguments leave open from its environment, and says so", () => {
  const one = load({ environment: { OLLAMA_NUM_PARALLEL: "2" } });
  loads.update(one);
  expect(kvBytes(one)).toBe(2 * 256 * MIB);
  expect(one.predicted?.assumptions).toContainEqual({
    name: "parallel",
    value: "2 (from OLLAMA_NUM_PARALLEL)",
    provenance: "measured",
  });
});

it("estimates anew when the environment is known a moment later, but not once memory was measured", () => {
  const one = load();
  loads.update(one);
  expect(kvBytes(one)).toBe(256 * MIB);
  one.settings = { environment: { OLLAMA_NUM_PARALLEL: "4" } };
  loads.update(one);
  expect(kvBytes(one)).toBe(4 * 256 * MIB);

  one.measured = { pid: 1, anonymousBytes: 5e9, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 };
  one.settings = { environment: { OLLAMA_NUM_PARALLEL: "1" } };
  loads.update(one);
  expect(kvBytes(one)).toBe(4 * 256 * MIB);
});

it("goes by the server's environment while the runner's own is not known", () => {
  serverEnvironment = { OLLAMA_NUM_PARALLEL: "3" };
  const one = load();
  loads.update(one);
  expect(kvBytes(one)).toBe(3 * 256 * MIB);
});

it("leaves an estimate alone that was made before a restart", () => {
  const one = load({ environment: { OLLAMA_NUM_PARALLEL: "2" } });
  loads.update(one);
  const kept = one.predicted;
  const other: Load = {
    ...load({ environment: { OLLAMA_NUM_PARALLEL: "4" } }),
    id: "other",
    predicted: kept,
  };
  loads.update(other);
  expect(other.predicted).toBe(kept);
});

it("goes by what the request asked for while neither arguments nor Ollama's list say the context", () => {
  requestedContext = 16_384;
  const one: Load = { ...load(), contextLength: undefined };
  loads.update(one);
  expect(kvBytes(one)).toBe(512 * MIB);
  requestedContext = 1_000_000;
  const clipped: Load = { ...load(), id: "clipped", contextLength: undefined };
  loads.update(clipped);
  expect(kvBytes(clipped)).toBe(4096 * MIB);
  const known: Load = { ...load(), id: "known" };
  loads.update(known);
  expect(kvBytes(known)).toBe(256 * MIB);
});
