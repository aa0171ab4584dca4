import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

import { compareAlerts } from "../../bench/alerts/compare.ts";
import { referenceDetectors } from "../../bench/alerts/references.ts";
import { alertSection, withAlertSection } from "../../bench/alerts/section.ts";
import type { MemorySample } from "../../src/types.ts";

const GIB = 2 ** 30;

function sample(availableRatio: number, more: Partial<MemorySample> = {}): MemorySample {
  return {
    takenAt: 0,
    totalBytes: 16 * GIB,
    availableBytes: availableRatio * 16 * GIB,
    anonymousBytes: (1 - availableRatio) * 16 * GIB,
    gpus: [],
    runners: [],
    problems: [],
    ...more,
  };
}

const swap = (freeRatio: number): Partial<MemorySample> => ({
  swapTotalBytes: 8 * GIB,
  swapUsedBytes: (1 - freeRatio) * 8 * GIB,
});
const firing = (samples: MemorySample[]): string[] =>
  referenceDetectors().flatMap((detector) =>
    samples.map((each) => detector.fires(each)).at(-1) === true ? [detector.name] : [],
  );

describe("the rules of others", () => {
  it.each([
    ["much is free", [sample(0.5, swap(1))], []],
    ["a fifth is left", [sample(0.19, swap(1))], ["nohang, warning"]],
    ["a tenth is left", [sample(0.09, swap(1))], ["nohang, warning", "Netdata, ram_in_use"]],
    [
      "memory and swap are gone",
      [sample(0.09, swap(0.05))],
      ["earlyoom", "nohang, warning", "Netdata, ram_in_use", "systemd-oomd"],
    ],
    [
      "no swap at all",
      [sample(0.09, { swapTotalBytes: 0 })],
      ["earlyoom", "nohang, warning", "Netdata, ram_in_use", "systemd-oomd"],
    ],
    [
      "Netdata lets go under 80 % only",
      [sample(0.09), sample(0.15, swap(1))],
      ["nohang, warning", "Netdata, ram_in_use"],
    ],
  ])("%s", (_, samples, names) => expect(firing(samples)).toEqual(names));

  it("pressure has to last", () => {
    const pressed = sample(0.5, { ...swap(1), pressureFullRatio: 0.9 });
    expect(firing(Array.from({ length: 3 }, () => pressed))).toEqual(["nohang, warning"]);
    expect(firing(Array.from({ length: 60 }, () => pressed))).toEqual(["nohang, warning", "systemd-oomd"]);
  });
});

it("puts the table where the one before stood", () => {
  const folder = fileURLToPath(new URL("../fixtures/real-event", import.meta.url));
  const section = alertSection(compareAlerts([folder]));
  expect(section).toMatch(/\| group-512 +\| swap at 54 s +\| +1\d\.\d \|/);
  const page = withAlertSection("# Results\n\ntext\n", section);
  expect(page.startsWith("# Results\n\ntext\n\n<!-- alerts")).toBe(true);
  expect(withAlertSection(page, section)).toBe(page);
});
