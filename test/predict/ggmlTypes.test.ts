import { describe, expect, it } from "vitest";

import { acceptedCacheTypes, cacheTypeFor } from "../../src/predict/cacheTypes.ts";
import { ggmlTypeNamed, ggmlTypeWithId, rowBytes } from "../../src/predict/ggmlTypes.ts";

describe("block types", () => {
  it.each([
    ["F16", 16],
    ["Q8_0", 8.5],
    ["Q6_K", 6.5625],
    ["Q5_K", 5.5],
    ["Q4_K", 4.5],
    ["Q4_0", 4.5],
    ["IQ4_XS", 4.25],
    ["MXFP4", 4.25],
    ["Q3_K", 3.4375],
    ["Q2_K", 2.625],
    ["IQ1_S", 1.5625],
  ])("%s takes %d bits an element", (name, bits) => {
    const type = ggmlTypeNamed(name);
    expect(type === undefined ? 0 : (8 * type.blockBytes) / type.blockElements).toBe(bits);
  });

  it("are found by name in any case and by number", () => {
    expect(ggmlTypeNamed("q8_0")).toBe(ggmlTypeNamed("Q8_0"));
    expect(ggmlTypeWithId(12)?.name).toBe("Q4_K");
    expect(ggmlTypeNamed("Q9_Z")).toBeUndefined();
    expect(ggmlTypeWithId(4)).toBeUndefined();
  });

  it("count a last block that is not full", () => {
    const type = ggmlTypeNamed("Q8_0") ?? { name: "", id: 0, blockElements: 1, blockBytes: 0 };
    expect([0, 1, 32, 33].map((elements) => rowBytes(type, elements))).toEqual([0, 34, 34, 68]);
  });
});

describe("types of a cache", () => {
  it("are those the server accepts, in any case and spacing", () => {
    expect(cacheTypeFor(" Q8_0 ", "kvCacheTypeK", "llama-server")).toBe("q8_0");
    expect(acceptedCacheTypes("ollama")).toEqual(["f16", "q8_0", "q4_0"]);
    for (const type of acceptedCacheTypes("llama-server")) expect(ggmlTypeNamed(type)).toBeDefined();
  });

  it("do not repeat a long wrong name in full", () => {
    expect(() => cacheTypeFor("x".repeat(5000), "kvCacheTypeK", "llama-server")).toThrow(/^.{1,200}$/);
  });
});
