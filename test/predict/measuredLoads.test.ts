import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { estimateMemory } from "../../src/predict/estimate.ts";
import type { ModelShape } from "../../src/predict/modelShape.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import type { MemoryEstimate, RunnerSettings } from "../../src/types.ts";
import { MEBIBYTE } from "./support/estimates.ts";

interface MeasuredLoad {
  version: string;
  model: string;
  contextLength: number;
  environment: Record<string, string>;
  arguments: Record<string, string>;
  residentBytes: number;
  /** MiB, cells, layers, as logged. */
  caches: [number, number, number][];
  computeMebibytes: number;
  /** Ollama's own engine logs one figure for all caches. */
  engineCacheMebibytes?: number;
}

const { shows, loads } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/measured-loads.json", import.meta.url), "utf8"),
) as {
  shows: Record<string, { model_info: unknown; tensors: [string, string, ...number[]][] }>;
  loads: MeasuredLoad[];
};

const shapes = new Map<string, ModelShape>(
  Object.entries(shows).map(([model, show]) => {
    const tensors = show.tensors.map(([name, type, ...shape]) => ({ name, type, shape }));
    return [model, shapeFromShow({ ...show, tensors })];
  }),
);

function shapeOfLoad({ model }: MeasuredLoad): ModelShape {
  const shape = shapes.get(model);
  if (shape === undefined) throw new Error(`no metadata of ${model}`);
  return shape;
}

/** From what was asked of Ollama and set in its environment: known before the load. */
function before(load: MeasuredLoad): MemoryEstimate {
  const shape = shapeOfLoad(load);
  return estimateMemory(
    shape,
    resolveSettings({
      shape,
      query: { contextLength: load.contextLength },
      environment: load.environment,
      ollamaVersion: load.version,
    }),
  );
}

/** From what the runner was started with: known once it runs. */
function after(load: MeasuredLoad): MemoryEstimate {
  const shape = shapeOfLoad(load);
  return estimateMemory(
    shape,
    resolveSettings({ shape, runner: startedWith(load), ollamaVersion: load.version }),
  );
}

function startedWith({ arguments: given }: MeasuredLoad): RunnerSettings {
  return {
    totalContextLength: Number(given["-c"]),
    parallel: Number(given["-np"]),
    batch: Number(given["-b"]),
    ubatch: Number(given["-ub"]),
    kvCacheTypeK: given["--cache-type-k"],
    kvCacheTypeV: given["--cache-type-v"],
    flashAttention: given["--flash-attn"],
    mmap: given["--load-mode"] !== "none",
  };
}

function nameOf({ model, contextLength, environment }: MeasuredLoad): string {
  return `${model} ${contextLength} ${environment["OLLAMA_KV_CACHE_TYPE"]} ×${environment["OLLAMA_NUM_PARALLEL"]}`;
}

const newer = loads.filter(({ version }) => version.startsWith("0.33"));
const older = loads.filter(({ version }) => version.startsWith("0.24"));

describe.each(newer.map((load) => [nameOf(load), load] as const))("llama-server: %s", (_name, load) => {
  it.each([
    ["from the request", before],
    ["from the runner's arguments", after],
  ] as const)("comes out at what the process really took, %s", (_how, estimated) => {
    const { residentHostBytes } = estimated(load);
    const error = Math.abs((residentHostBytes ?? 0) - load.residentBytes);
    expect(error).toBeLessThanOrEqual(Math.max(0.015 * load.residentBytes, 8 * MEBIBYTE));
  });

  it.each([
    ["from the request", before],
    ["from the runner's arguments", after],
  ] as const)("has the caches and the compute buffer that the log has, %s", (_how, estimated) => {
    const estimate = estimated(load);
    expect(estimate.caches.map(({ cells, layerCount }) => [cells, layerCount])).toEqual(
      load.caches.map(([, cells, layers]) => [cells, layers]),
    );
    estimate.caches.forEach(({ bytes }, index) => {
      expect(bytes / MEBIBYTE).toBeCloseTo(load.caches[index]?.[0] ?? 0, 1.9);
    });
    expect(Math.abs(estimate.computeBytes.hostBytes / MEBIBYTE - load.computeMebibytes)).toBeLessThan(0.01);
  });
});

describe.each(older.map((load) => [nameOf(load), load] as const))("the engines before: %s", (_name, load) => {
  it("comes out at what the process really took", () => {
    const error = Math.abs((before(load).residentHostBytes ?? 0) - load.residentBytes);
    expect(error).toBeLessThanOrEqual(0.02 * load.residentBytes);
  });

  it("has the caches and nearly the compute buffer that the log has", () => {
    const estimate = before(load);
    const logged = load.engineCacheMebibytes ?? load.caches.reduce((sum, [mebibytes]) => sum + mebibytes, 0);
    expect(Math.abs(estimate.kvCacheBytes.hostBytes / MEBIBYTE - logged)).toBeLessThan(0.06);
    const compute = estimate.computeBytes.hostBytes / MEBIBYTE;
    expect(Math.abs(compute - load.computeMebibytes)).toBeLessThanOrEqual(
      Math.max(0.07 * load.computeMebibytes, 1),
    );
  });
});

it.each([
  ["gemma3:270m", 235.16],
  ["synthetic-llama:1b", 918.26],
])("the tensor list of %s sums to the %d MiB that llama.cpp logs", (model, mebibytes) => {
  expect((shapes.get(model)?.weights?.totalBytes ?? 0) / MEBIBYTE).toBeCloseTo(mebibytes, 2);
});

it("was tried on all 51 loads that were measured", () => {
  expect([newer.length, older.length]).toEqual([27, 24]);
});
