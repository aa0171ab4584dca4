import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { shapeFromShow } from "../../src/predict/shapeFromShow.ts";
import { tensorsOfShape } from "./support/tensorLists.ts";

const { models } = JSON.parse(
  readFileSync(new URL("../fixtures/predict/llama-cpp-buffers.json", import.meta.url), "utf8"),
) as { models: Record<string, { metadata: Record<string, unknown> }> };

/** As `/api/show` answers without `verbose`. */
function withoutArrays(metadata: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key, Array.isArray(value) ? null : value]),
  );
}

describe.each(Object.entries(models))("%s", (_name, { metadata }) => {
  const whole = shapeFromShow({ model_info: metadata });
  const tensors = tensorsOfShape(whole);

  it("has the same layers whether the arrays are given, or null beside the tensor list", () => {
    const short = shapeFromShow({ model_info: withoutArrays(metadata), tensors });
    expect(short.layers).toEqual(whole.layers);
    expect(short.window).toBe(whole.window);
    expect(short.perLayerInputWidth).toBe(whole.perLayerInputWidth);
    expect(short.remarks).toEqual([]);
  });

  it("has the same layers from the arrays and the tensor list together", () => {
    expect(shapeFromShow({ model_info: metadata, tensors }).layers).toEqual(whole.layers);
  });
});

it("says what is hidden when there is no tensor list to read it from", () => {
  const metadata = models["granite-4-h-tiny"]?.metadata ?? {};
  const shape = shapeFromShow({ model_info: withoutArrays(metadata) });
  expect(shape.remarks.join()).toContain(
    "granitehybrid.attention.head_count_kv is hidden and there is no tensor list",
  );
});

it.each(["mimo-v2-flash", "step-3.5"])(
  "%s: hidden flags of windows show in the heads, and that is said",
  (name) => {
    const { models: others } = JSON.parse(
      readFileSync(new URL("../fixtures/predict/llama-cpp-other-models.json", import.meta.url), "utf8"),
    ) as { models: Record<string, { metadata: Record<string, unknown> }> };
    const metadata = others[name]?.metadata ?? {};
    const whole = shapeFromShow({ model_info: metadata });
    const short = shapeFromShow({ model_info: withoutArrays(metadata), tensors: tensorsOfShape(whole) });
    expect(short.layers.map(({ attention }) => [attention?.sliding, attention?.keyWidth])).toEqual(
      whole.layers.map(({ attention }) => [attention?.sliding, attention?.keyWidth]),
    );
    expect(short.remarks.join()).toContain("which layers slide is not said");
  },
);
