import { expect, it } from "vitest";
import { readMachineParts } from "../../src/memory/machine.ts";

it("names this machine's processor through the system's own tools", async () => {
  const { cpuModel, gpuNames } = await readMachineParts();
  expect(cpuModel).toMatch(/\w/);
  expect(Array.isArray(gpuNames)).toBe(true);
});

it("knows nothing when the tools do not answer in time, or cannot be asked", async () => {
  expect(await readMachineParts(1)).toEqual({ gpuNames: [] });
  expect(await readMachineParts(5000, new URL("file:///no/such/worker.js"))).toEqual({ gpuNames: [] });
});
