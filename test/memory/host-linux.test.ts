import { expect, it } from "vitest";

import type { RunnerProcess } from "../../src/types.ts";
import type { MemorySource } from "../../src/memory/sampler.ts";
import { createMemorySource } from "../../src/memory/source.ts";
import { DIGEST, fakeClock, fakeTree, fixture, type FakeTree } from "./fixtures.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

interface Machine {
  proc: FakeTree;
  sys: FakeTree;
  clock: ReturnType<typeof fakeClock>;
  source(options?: { weightsInUse?: (process: RunnerProcess) => boolean }): MemorySource;
}

function machine(): Machine {
  const proc = fakeTree();
  const sys = fakeTree();
  const clock = fakeClock();
  proc.write("meminfo", meminfo({ available: 8_000_000 }));
  proc.write("vmstat", fixture("memory/proc-vmstat.txt"));
  proc.write("pressure/memory", fixture("memory/proc-pressure.txt"));
  proc.write("stat", "btime 1795225000\n");
  proc.addProcess({ pid: 10, comm: "ollama", argv: ["ollama", "serve"], cgroup: "0::/box\n" });
  const source: Machine["source"] = (options) =>
    createMemorySource({
      platform: "linux",
      upstreamIsLocal: true,
      now: () => 1_795_225_505_000 + clock.monotonic(),
      monotonic: clock.monotonic,
      roots: { proc: proc.root, sys: sys.root },
      spawn: () => {
        throw new Error("a child process was started");
      },
      ...options,
    });
  return { proc, sys, clock, source };
}

function meminfo({ available, mapped = 2_000_000 }: { available: number; mapped?: number }): string {
  return `MemTotal: 16000000 kB\nMemAvailable: ${available} kB\nAnonPages: 5000000 kB\nMapped: ${mapped} kB\nSwapTotal: 1000 kB\nSwapFree: 400 kB\n`;
}

function addRunner(proc: FakeTree, pid = 20): void {
  proc.addProcess({
    pid,
    parentPid: 10,
    comm: "llama-server",
    argv: ["llama-server", "--model", `/m/blobs/sha256-${DIGEST}`, "-c", "4096", "-np", "1"],
    status: "RssAnon:\t 500000 kB\nRssFile:\t 900000 kB\nRssShmem:\t 0 kB\nVmSwap:\t 64 kB\n",
    cgroup: "0::/box\n",
  });
}

it("makes a sample of the machine without a single child process", () => {
  const { proc, source } = machine();
  addRunner(proc);
  const sample = source().read();
  const floorBytes = Math.round(16_000_000 * KIB * 0.03);
  expect(sample).toEqual({
    takenAt: 1_795_225_505_000,
    totalBytes: 16_000_000 * KIB,
    availableBytes: 8_000_000 * KIB,
    anonymousBytes: 5_000_000 * KIB,
    mappedBytes: 2_000_000 * KIB,
    swapTotalBytes: 1000 * KIB,
    swapUsedBytes: 600 * KIB,
    headroomBytes: (8_000_000 - 900_000) * KIB - floorBytes,
    floorBytes,
    gpus: [],
    problems: [],
    runners: [
      {
        pid: 20,
        startedAt: expect.any(Number),
        anonymousBytes: 500_000 * KIB,
        fileBytes: 900_000 * KIB,
        sharedBytes: 0,
        swappedBytes: 64 * KIB,
      },
    ],
  });
});

it("gives rates from the second reading on, over the time that really passed", () => {
  const { proc, clock, source } = machine();
  const reading = source();
  expect(reading.read()?.swapOutBytesPerSecond).toBeUndefined();
  proc.write("vmstat", fixture("memory/proc-vmstat.txt").replace(/^pswpout 0$/m, "pswpout 512"));
  clock.advance(2000);
  expect(reading.read()).toMatchObject({
    swapOutBytesPerSecond: MIB,
    swapInBytesPerSecond: 0,
    refaultBytesPerSecond: 0,
    pressureSomeRatio: 0,
  });
});

it("leaves idle weights out of what is in use", () => {
  const { proc, source } = machine();
  addRunner(proc);
  const floorBytes = Math.round(16_000_000 * KIB * 0.03);
  expect(source({ weightsInUse: () => false }).read()?.headroomBytes).toBe(8_000_000 * KIB - floorBytes);
});

it("counts the weights of two runners of one model once", () => {
  const { proc, source } = machine();
  addRunner(proc, 20);
  addRunner(proc, 21);
  const floorBytes = Math.round(16_000_000 * KIB * 0.03);
  expect(source().read()?.headroomBytes).toBe((8_000_000 - 900_000) * KIB - floorBytes);
});

it("sees the limit of the server's group before any model is loaded", () => {
  const { sys, source } = machine();
  sys.write("fs/cgroup/box/memory.max", `${600 * MIB}\n`);
  sys.write("fs/cgroup/box/memory.stat", `anon ${100 * MIB}\nshmem 0\nkernel 0\n`);
  expect(source().read()).toMatchObject({
    limit: { bytes: 600 * MIB, usedBytes: 100 * MIB },
    headroomBytes: 500 * MIB - 18 * MIB,
    floorBytes: 18 * MIB,
  });
});

it("takes an available of zero for zero, and the headroom for what it is: negative", () => {
  const { proc, source } = machine();
  proc.write("meminfo", meminfo({ available: 0 }));
  const sample = source().read();
  expect(sample?.availableBytes).toBe(0);
  expect(sample?.headroomBytes).toBeLessThan(0);
});

it("says what it cannot see, and goes on with the rest", () => {
  const { proc, source } = machine();
  proc.remove("pressure/memory");
  proc.remove("vmstat");
  const sample = source().read();
  expect(sample?.availableBytes).toBe(8_000_000 * KIB);
  expect(sample?.pressureSomeRatio).toBeUndefined();
  expect(sample?.problems.join("\n")).toMatch(/vmstat cannot be read[\s\S]*psi=1/);
});

it("throws, naming the file, when memory itself cannot be read", () => {
  const { proc, source } = machine();
  const reading = source();
  proc.remove("meminfo");
  expect(() => reading.read()).toThrow(/meminfo cannot be read/);
  proc.write("meminfo", meminfo({ available: 5 }));
  expect(reading.read()?.availableBytes).toBe(5 * KIB);
});

it("closes without waiting for anything", async () => {
  const { proc, source } = machine();
  addRunner(proc);
  const reading = source();
  reading.read();
  expect(reading.runners()).toHaveLength(1);
  await reading.close();
  expect(reading.runners()).toHaveLength(0);
});

it.runIf(process.platform === "linux")("reads this very machine", () => {
  const clock = fakeClock();
  const source = createMemorySource({
    platform: "linux",
    upstreamIsLocal: true,
    now: () => 0,
    monotonic: clock.monotonic,
  });
  source.read();
  clock.advance(1000);
  const sample = source.read();
  expect(sample?.totalBytes).toBeGreaterThan(sample?.availableBytes ?? Number.POSITIVE_INFINITY);
  expect(sample?.headroomBytes).toBeLessThan(sample?.availableBytes ?? 0);
  expect(sample?.swapOutBytesPerSecond).toBeGreaterThanOrEqual(0);
});
