import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCalibration } from "../../src/predict/calibration.ts";

const MACHINE = "Apple M4, 16 GiB";
const part = "residentHostBytes" as const;
const fresh = () => createCalibration({ machine: MACHINE });

describe("a factor", () => {
  it("is 1 before anything was measured", () => {
    expect(fresh().apply("m", part, 1000)).toEqual({
      raw: 1000,
      calibrated: 1000,
      factor: 1,
      observations: 0,
      basis: "none",
    });
  });

  it("follows the model's own measurements, and the raw figure stays beside it", () => {
    const calibration = fresh();
    [1100, 1110, 1090].forEach((actual) => calibration.learn({ model: "m", part, raw: 1000, actual }));
    const found = calibration.apply("m", part, 2000);
    expect(found).toMatchObject({ raw: 2000, observations: 3, basis: "model" });
    expect(found.factor).toBeGreaterThan(1.085);
    expect(found.factor).toBeLessThan(1.11);
    expect(found.calibrated).toBeCloseTo(2000 * found.factor, 9);
  });

  it("of a model not seen yet is the machine's", () => {
    const calibration = fresh();
    ["a", "b", "c"].forEach((model) => calibration.learn({ model, part, raw: 1000, actual: 1200 }));
    const found = calibration.apply("other", part, 1000);
    expect(found).toMatchObject({ observations: 0, basis: "machine" });
    expect(found.factor).toBeGreaterThan(1.12);
    expect(found.factor).toBeLessThanOrEqual(1.2);
  });

  it("is kept apart for each part", () => {
    const calibration = fresh();
    calibration.learn({ model: "m", part: "deviceBytes", raw: 100, actual: 130 });
    expect(calibration.apply("m", part, 1000).factor).toBe(1);
  });

  it("is moved little by one load that went astray", () => {
    const calibration = fresh();
    [1000, 1010, 990, 1900, 1005].forEach((actual) =>
      calibration.learn({ model: "m", part, raw: 1000, actual }),
    );
    expect(calibration.apply("m", part, 1000).factor).toBeLessThan(1.02);
  });

  it.each([
    [2900, 1.5],
    [400, 0.8],
  ])("that measurements of %d for 1000 ask for stops at %d", (actual, factor) => {
    const calibration = fresh();
    for (let load = 0; load < 9; load++) {
      calibration.learn({ model: "m", part, raw: 1000, actual });
    }
    expect(calibration.apply("m", part, 1000).factor).toBe(factor);
  });
});

it.each([
  [1000, 0],
  [0, 1000],
  [1000, -5],
  [-1000, -1000],
  [Number.NaN, 5],
  [1000, Infinity],
  [1000, 100_000],
])("%d predicted and %d measured teach nothing", (raw, actual) => {
  const calibration = fresh();
  calibration.learn({ model: "m", part, raw, actual });
  expect(calibration.list()).toEqual([]);
});

describe("reset", () => {
  it("forgets one model, or all", () => {
    const calibration = fresh();
    ["a", "b"].forEach((model) => calibration.learn({ model, part, raw: 1000, actual: 1200 }));
    calibration.reset("a");
    expect(calibration.list().map(({ model }) => model)).toEqual(["b"]);
    calibration.reset();
    expect(calibration.list()).toEqual([]);
    expect(calibration.apply("b", part, 1000).factor).toBe(1);
  });
});

describe("saved", () => {
  it("and restored says the same", () => {
    const calibration = fresh();
    [1.1, 1.2, 0.9].forEach((ratio) =>
      calibration.learn({ model: `m${ratio}`, part, raw: 1000, actual: 1000 * ratio }),
    );
    const saved: unknown = JSON.parse(JSON.stringify(calibration.save()));
    const restored = createCalibration({ machine: MACHINE, saved });
    expect(restored.list()).toEqual(calibration.list());
  });

  it("on another machine is not used", () => {
    const calibration = fresh();
    calibration.learn({ model: "m", part, raw: 1000, actual: 1200 });
    expect(createCalibration({ machine: "another", saved: calibration.save() }).list()).toEqual([]);
  });

  it("and damaged is a fresh start", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (saved, ratios) => {
        expect(createCalibration({ machine: MACHINE, saved }).list()).toEqual([]);
        const nearly = createCalibration({
          machine: MACHINE,
          saved: { version: 1, machine: MACHINE, ratios },
        });
        expect(nearly.list()).toEqual([]);
      }),
    );
  });

  it("holds a bounded number of models", () => {
    const calibration = fresh();
    for (let index = 0; index < 400; index++) {
      calibration.learn({ model: `m${index}`, part, raw: 1000, actual: 1100 });
    }
    expect(calibration.list()).toHaveLength(256);
    expect(calibration.list().at(-1)?.model).toBe("m399");
  });
});

it("every factor lies between 0.8 and 1.5, whatever was measured", () => {
  const figure = fc.oneof(fc.double(), fc.double({ min: 1, max: 1e12, noNaN: true }));
  const told = fc.record({ model: fc.constantFrom("a", "b", "c"), raw: figure, actual: figure });
  fc.assert(
    fc.property(fc.array(told), (all) => {
      const calibration = fresh();
      all.forEach((measurement) => calibration.learn({ ...measurement, part }));
      for (const model of ["a", "b", "c", "d"]) {
        const { factor } = calibration.apply(model, part, 1000);
        expect(factor >= 0.8 && factor <= 1.5).toBe(true);
      }
    }),
  );
});
