import { beforeEach, expect, it, vi } from "vitest";

import { parseNvidiaLine } from "../../src/memory/gpu-nvidia.ts";
import { createGpuWatch } from "../../src/memory/gpu.ts";
import { fakeSpawn } from "./fakeSpawn.ts";
import { fakeTree, fixture } from "./fixtures.ts";

const MIB = 1024 ** 2;
const [RTX = "", UNIFIED = ""] = fixture("memory/nvidia-smi.csv").split("\n");

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

it("reads a card of nvidia-smi, and leaves out memory that a card does not tell", () => {
  expect(parseNvidiaLine(RTX)).toEqual({
    id: "GPU-3d1f0d1e-5f0e-4c59-9d38-0f5f0a2e7b11",
    vendor: "nvidia",
    name: "NVIDIA GeForce RTX 4090",
    totalBytes: 24564 * MIB,
    usedBytes: 3127 * MIB,
  });
  expect(parseNvidiaLine(UNIFIED)).toEqual({ id: expect.any(String), vendor: "nvidia", name: "NVIDIA GB10" });
});

it.each([
  "",
  "No devices were found",
  "uuid, name, memory.total [MiB], memory.used [MiB]",
  "NVIDIA-SMI has failed",
])("reads no card from %j", (line) => {
  expect(parseNvidiaLine(line)).toBeUndefined();
});

it("survives a line cut at any byte", () => {
  for (let length = 0; length <= RTX.length; length += 1) {
    const sample = parseNvidiaLine(RTX.slice(0, length));
    expect(sample === undefined || sample.id.startsWith("GPU-")).toBe(true);
  }
});

it("looks once at the start for the cards there are, and then only while a model uses one", async () => {
  const fake = fakeSpawn();
  const gpu = createGpuWatch({ spawn: fake.spawn, monotonic: () => Date.now(), hasNvidia: true });
  expect(fake.programs).toHaveLength(1);
  expect(fake.latest("nvidia-smi").args).toContain("-l");
  fake.latest().print(`${RTX}\n${UNIFIED}\n`);
  await vi.advanceTimersByTimeAsync(0);
  expect(gpu.read()).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(fake.latest().killed).toBe(true);

  // What there is stays known; what is used of it does not.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(gpu.read()).toEqual([
    expect.objectContaining({ name: "NVIDIA GeForce RTX 4090", totalBytes: 24564 * MIB }),
    expect.objectContaining({ name: "NVIDIA GB10" }),
  ]);
  expect(gpu.read()[0]).not.toHaveProperty("usedBytes");

  gpu.setDeviceInUse(true);
  gpu.setDeviceInUse(true);
  expect(fake.programs.map(({ args }) => args[0])).toEqual([
    expect.stringContaining("--query-gpu="),
    expect.stringContaining("--query-gpu="),
    expect.stringContaining("--query-compute-apps="),
  ]);
  fake.programs[1]?.print(`${RTX}\n`);
  await vi.advanceTimersByTimeAsync(0);
  expect(gpu.read()[0]).toHaveProperty("usedBytes", 3127 * MIB);

  gpu.setDeviceInUse(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(fake.programs.every(({ killed }) => killed)).toBe(true);
  await gpu.close();
});

it("tells the graphics memory of each process while it is fresh", async () => {
  const fake = fakeSpawn();
  const gpu = createGpuWatch({ spawn: fake.spawn, monotonic: () => Date.now() });
  gpu.setDeviceInUse(true);
  fake.latest().print(`${RTX}\n`);
  await vi.advanceTimersByTimeAsync(0);
  fake.latest().print("6098, 77068\n6149, 2938\n7000, [N/A]\n");
  await vi.advanceTimersByTimeAsync(0);
  expect([...gpu.processes()]).toEqual([
    [6098, 77068 * MIB],
    [6149, 2938 * MIB],
  ]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([...gpu.processes()]).toEqual([]);
  await gpu.close();
});

it("does not show a figure that is ten seconds old", async () => {
  const fake = fakeSpawn();
  const gpu = createGpuWatch({ spawn: fake.spawn, monotonic: () => Date.now() });
  gpu.setDeviceInUse(true);
  fake.latest().print(`${RTX}\n`);
  await vi.advanceTimersByTimeAsync(9999);
  expect(gpu.read()[0]).toHaveProperty("usedBytes");
  await vi.advanceTimersByTimeAsync(1);
  expect(gpu.read()[0]).not.toHaveProperty("usedBytes");
  await gpu.close();
});

it("is no problem, and tried once, where there is no nvidia-smi", async () => {
  const fake = fakeSpawn();
  const gpu = createGpuWatch({ spawn: fake.spawn, monotonic: () => Date.now() });
  gpu.setDeviceInUse(true);
  fake.latest().fail("ENOENT");
  for (const inUse of [false, true, false, true]) {
    gpu.setDeviceInUse(inUse);
    await vi.advanceTimersByTimeAsync(120_000);
  }
  expect(fake.programs).toHaveLength(1);
  expect(gpu.problems()).toEqual([]);
  expect(gpu.read()).toEqual([]);
});

it("reads AMD cards from sysfs, shared memory apart, and passes over their sockets and other makers' cards", async () => {
  const sys = fakeTree();
  const device = "class/drm/card1/device";
  sys.write(`${device}/mem_info_vram_total`, "536870912\n");
  sys.write(`${device}/mem_info_vram_used`, "515899392\n");
  sys.write(`${device}/mem_info_gtt_total`, "65498251264\n");
  sys.write(`${device}/mem_info_gtt_used`, "6979321856\n");
  sys.write("class/drm/card1-HDMI-A-1/status", "connected\n");
  sys.write("class/drm/card0/device/vendor", "0x8086\n");
  const fake = fakeSpawn();
  const gpu = createGpuWatch({ sysRoot: sys.root, spawn: fake.spawn, monotonic: () => 0 });
  const card = {
    id: "card1",
    vendor: "amd",
    totalBytes: 536870912,
    usedBytes: 515899392,
    sharedTotalBytes: 65498251264,
    sharedUsedBytes: 6979321856,
  };
  expect(gpu.read()).toEqual([card]);
  sys.write(`${device}/mem_info_gtt_used`, "7000000000\n");
  sys.write(`${device}/product_name`, "Radeon\n");
  expect(gpu.read()).toEqual([{ ...card, sharedUsedBytes: 7000000000 }]);
  expect(fake.programs).toEqual([]);
  await gpu.close();

  const named = createGpuWatch({ sysRoot: sys.root, spawn: fake.spawn, monotonic: () => 0 });
  expect(named.read()[0]?.name).toBe("Radeon");
});
