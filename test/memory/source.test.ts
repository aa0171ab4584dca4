import { expect, it } from "vitest";

import { readMachineFacts } from "../../src/memory/machine.ts";
import { createSampler } from "../../src/memory/sampler.ts";
import { createMemorySource } from "../../src/memory/source.ts";
import { fakeTree } from "./fixtures.ts";

const clock = { now: () => 0, monotonic: () => 0 };

it("shows nothing of an Ollama on another machine, and says so instead of showing this one's memory", async () => {
  const source = createMemorySource({ platform: "linux", upstreamIsLocal: false, ...clock });
  const sampler = createSampler({ source, intervalMs: 1000, monotonic: clock.monotonic });
  const heard: unknown[] = [];
  sampler.start((sample) => heard.push(sample));
  expect(heard).toEqual([]);
  expect(sampler.health()).toEqual({ state: "remote", problems: ["memory of that host is not visible"] });
  expect(sampler.runners()).toEqual([]);
  await sampler.stop();
});

it("says that it does not know a system instead of guessing", () => {
  const source = createMemorySource({ platform: "freebsd", upstreamIsLocal: true, ...clock });
  expect(source.state).toBe("off");
  expect(source.read()).toBeUndefined();
  expect(source.problems().join()).toMatch(/freebsd/);
});

it("knows this machine", () => {
  const facts = readMachineFacts();
  expect(facts.totalBytes).toBeGreaterThan(2 ** 28);
  expect(facts.coreCount).toBeGreaterThan(0);
  expect(facts.osName).not.toBe("");
});

it.runIf(process.platform === "linux")(
  "names a Linux by its os-release, or by its kernel without one",
  () => {
    const etc = fakeTree();
    expect(readMachineFacts(etc.root).osName).toMatch(/^Linux \d/);
    etc.write("os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n');
    expect(readMachineFacts(etc.root).osName).toBe("Debian GNU/Linux 13 (trixie)");
  },
);
