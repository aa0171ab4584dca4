import { describe, expect, it } from "vitest";

import type { SettingsQuery } from "../../src/predict/settingsSource.ts";
import { cacheMebibytes, estimateFor, MEBIBYTE, shapeOf } from "./support/estimates.ts";
import { KNOWN_MODELS, type KnownModel } from "./support/knownModels.ts";

const K = 1024;

function estimator({ metadata }: KnownModel) {
  const shape = shapeOf(metadata);
  return (contextK: number, type: string, more: SettingsQuery = {}) =>
    estimateFor(shape, {
      totalContextLength: contextK * K,
      kvCacheTypeK: type,
      kvCacheTypeV: type,
      batch: 512,
      ubatch: 512,
      ...more,
    });
}

describe.each(KNOWN_MODELS)("$name", (model) => {
  const shape = shapeOf(model.metadata);
  const at = estimator(model);

  it("is an architecture we know", () => {
    expect(shape.known).toBe(true);
    expect(shape.remarks).toEqual([]);
  });

  it("takes the published bytes for each token", () => {
    expect(["f16", "q8_0", "q4_0"].map((type) => at(8, type).kvBytesPerToken)).toEqual(model.perToken);
  });

  it("takes the published MiB of cache and state", () => {
    const cases = [at(8, "f16"), at(32, "f16"), at(128, "f16"), at(128, "q8_0"), at(128, "q4_0")];
    cases.forEach((estimate, index) => {
      expect(cacheMebibytes(estimate)).toBeCloseTo(model.cacheMebibytes[index] ?? 0, 1);
    });
  });
});

describe.each(KNOWN_MODELS.filter(({ computeMebibytes }) => computeMebibytes !== undefined))(
  "$name",
  (model) => {
    const at = estimator(model);

    it("reserves the published compute buffers", () => {
      const device = [
        at(8, "f16", { backend: "cuda" }),
        at(32, "f16", { backend: "cuda" }),
        at(128, "f16", { backend: "cuda" }),
        at(8, "f16", { backend: "cuda", flashAttention: false }),
        at(32, "q8_0", { backend: "cuda" }),
        at(128, "f16", { backend: "metal" }),
      ].map(({ computeBytes }) => computeBytes.deviceBytes / MEBIBYTE);
      const host = [8, 128].map(
        (size) => at(size, "f16", { backend: "cuda" }).computeBytes.hostBytes / MEBIBYTE,
      );
      [...device, ...host].forEach((found, index) => {
        const published = model.computeMebibytes?.[index];
        if (published === undefined) return;
        const allowed = Math.max(1, published * (model.toleranceRatio ?? 0));
        expect(Math.abs(found - published), `figure ${index}: ${found} for ${published}`).toBeLessThanOrEqual(
          allowed,
        );
      });
    });
  },
);
