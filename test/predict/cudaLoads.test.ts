import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { estimateMemory } from "../../src/predict/estimate.ts";
import { withLayersThatFit } from "../../src/predict/layersThatFit.ts";
import type { ModelShape } from "../../src/predict/modelShape.ts";
import { resolveSettings } from "../../src/predict/resolveSettings.ts";
import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import type { SettingsInput } from "../../src/predict/settingsSource.ts";
import type { RunnerSample } from "../../src/types.ts";
import { MEBIBYTE } from "./support/estimates.ts";

interface CudaLoad {
  model: string;
  arguments: Record<string, string>;
  offloadedLayers: number;
  hostMebibytes: { weights: number; kvCache: number; compute: number; output: number };
  deviceMebibytes: { weights: number; kvCache: number; compute: number };
  processDeviceMebibytes?: number;
  measured?: RunnerSample;
  deviceFreeMebibytes?: number;
}

const { shows, loads } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/measured-cuda-loads.json", import.meta.url), "utf8"),
) as {
  shows: Record<string, { model_info: unknown; tensors: [string, string, ...number[]][] }>;
  loads: CudaLoad[];
};

const shapes = new Map<string, ModelShape>(
  Object.entries(shows).map(([model, show]) => {
    const tensors = show.tensors.map(([name, type, ...shape]) => ({ name, type, shape }));
    return [model, shapeFromShow({ ...show, tensors })];
  }),
);

function inputOf(load: CudaLoad): SettingsInput {
  const shape = shapes.get(load.model);
  if (shape === undefined) throw new Error(`no metadata of ${load.model}`);
  const parallel = Number(load.arguments["-np"]);
  return {
    shape,
    ollamaVersion: "0.33.0-rc2",
    backend: "cuda",
    runner: {
      parallel,
      totalContextLength: Number(load.arguments["-c"]),
      batch: Number(load.arguments["-b"]),
      ubatch: Number(load.arguments["-ub"]),
      kvCacheTypeK: load.arguments["--cache-type-k"],
      kvCacheTypeV: load.arguments["--cache-type-v"],
      offloadedLayers: load.offloadedLayers,
    },
  };
}

const nameOf = (load: CudaLoad): string =>
  `${load.model} ${load.arguments["-c"]} × ${load.arguments["-np"]}, ${load.offloadedLayers} layers on the device`;

const isWhole = (load: CudaLoad): boolean =>
  load.offloadedLayers === (shapes.get(load.model)?.layers.length ?? 0) + 1;

describe("equals what llama-server logged beside a CUDA device", () => {
  it.each(loads.map((load) => [nameOf(load), load] as const))("%s", (_name, load) => {
    const estimate = estimateMemory(inputOf(load).shape, resolveSettings(inputOf(load)));
    const near = (bytes: number | undefined, mebibytes: number, within: number): void => {
      expect(Math.abs((bytes ?? Number.NaN) / MEBIBYTE - mebibytes)).toBeLessThanOrEqual(within);
    };
    near(estimate.weightsBytes?.hostBytes, load.hostMebibytes.weights, 0.01);
    near(estimate.weightsBytes?.deviceBytes, load.deviceMebibytes.weights, 0.05);
    near(estimate.kvCacheBytes.hostBytes, load.hostMebibytes.kvCache, 0.01);
    near(estimate.kvCacheBytes.deviceBytes, load.deviceMebibytes.kvCache, 0.02);
    near(estimate.outputBytes, load.hostMebibytes.output, 0.01);
    near(estimate.computeBytes.hostBytes, load.hostMebibytes.compute, 0.6);
    // The weights that are lent to the device for layers of the host are not modelled.
    near(estimate.computeBytes.deviceBytes, load.deviceMebibytes.compute, isWhole(load) ? 0.1 : 41);
  });
});

const measured = loads.flatMap((load) =>
  load.measured === undefined ? [] : [[nameOf(load), load] as const],
);

it.each(measured)("resident memory within 3 %% or 20 MiB: %s", (_name, load) => {
  const estimate = estimateMemory(inputOf(load).shape, resolveSettings(inputOf(load)));
  const { anonymousBytes, fileBytes, sharedBytes } = load.measured ?? {
    anonymousBytes: Number.NaN,
    fileBytes: 0,
    sharedBytes: 0,
  };
  const actual = anonymousBytes + fileBytes + sharedBytes;
  const error = Math.abs((estimate.residentHostBytes ?? Number.NaN) - actual);
  expect(error).toBeLessThanOrEqual(Math.max(0.03 * actual, 20 * MEBIBYTE));
});

it("has loads on which resident memory was measured", () => {
  expect(measured.length).toBeGreaterThanOrEqual(7);
});

describe("layers that find a place on the device", () => {
  const spilled = loads.find(({ deviceFreeMebibytes }) => deviceFreeMebibytes !== undefined);

  it("are as many as llama-server placed", () => {
    if (spilled === undefined) throw new Error("no such load");
    const input = inputOf(spilled);
    const asked = {
      ...input,
      runner: { ...input.runner, offloadedLayers: undefined },
      deviceFreeBytes: (spilled.deviceFreeMebibytes ?? 0) * MEBIBYTE,
    };
    expect(resolveSettings(withLayersThatFit(asked)).offloadedLayers).toBe(spilled.offloadedLayers);
    expect(
      resolveSettings(withLayersThatFit({ ...asked, deviceFreeBytes: 80 * 1024 * MEBIBYTE })).offloadedLayers,
    ).toBe(33);
    expect(resolveSettings(withLayersThatFit({ ...asked, deviceFreeBytes: 0 })).offloadedLayers).toBe(0);
  });

  it("are whatever was asked for, or all where nobody knows what is free", () => {
    if (spilled === undefined) throw new Error("no such load");
    const input = { ...inputOf(spilled), deviceFreeBytes: 2048 * MEBIBYTE };
    expect(withLayersThatFit(input)).toBe(input);
    const unknown = { ...input, runner: {}, deviceFreeBytes: undefined };
    expect(withLayersThatFit(unknown)).toBe(unknown);
    const onCpu = { ...input, runner: {}, backend: "cpu" as const };
    expect(withLayersThatFit(onCpu)).toBe(onCpu);
  });
});
