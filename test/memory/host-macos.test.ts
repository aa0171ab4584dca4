import { beforeEach, describe, expect, it, vi } from "vitest";

import { parsePsLine, parseSwapUse } from "../../src/memory/macSurvey.ts";
import { createMemorySource } from "../../src/memory/source.ts";
import { macHeadroom } from "../../src/memory/headroom.ts";
import { createMacSource } from "../../src/memory/host-macos.ts";
import { fakeSpawn } from "./fakeSpawn.ts";
import { fixture } from "./fixtures.ts";

const PAGE = 16384;
const TOTAL = 16 * 1024 ** 3;

it.each([
  ["vm.swapusage: total = 2048.00M  used = 1024.50M  free = 1023.50M  (encrypted)", 2048, 1024.5],
  ["vm.swapusage: total = 3072,00M  used = 7,25M  free = 3064,75M", 3072, 7.25],
  ["vm.swapusage: total = 0.00M  used = 0.00M  free = 0.00M", 0, 0],
])("reads swap from %s", (line, totalMebibytes, usedMebibytes) => {
  expect(parseSwapUse(line)).toEqual({
    swapTotalBytes: totalMebibytes * 1024 ** 2,
    swapUsedBytes: usedMebibytes * 1024 ** 2,
  });
});

it("is absent where swap is not told", () => {
  expect(parseSwapUse("vm.swapusage: unavailable")).toEqual({});
});

it("reads a process line with its start, and nothing from other lines", () => {
  expect(parsePsLine("  830   812   65536 Sat Nov  1 09:26:01 2025     /opt/ollama serve")).toEqual({
    pid: 830,
    parentPid: 812,
    residentBytes: 65536 * 1024,
    startedAt: new Date(2025, 10, 1, 9, 26, 1).getTime(),
    argv: ["/opt/ollama", "serve"],
  });
  expect(parsePsLine("end")).toBeUndefined();
});

describe("a Mac", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  function mac() {
    const fake = fakeSpawn();
    const source = createMacSource({
      totalBytes: TOTAL,
      spawn: fake.spawn,
      now: () => 5000,
      monotonic: () => Date.now(),
      gpu: {
        read: () => [],
        processes: () => new Map(),
        problems: () => [],
        setDeviceInUse: () => {},
        close: async () => {},
      },
    });
    const print = async (command: string, text: string): Promise<void> => {
      fake.latest(command).print(text);
      await vi.advanceTimersByTimeAsync(0);
    };
    return { fake, source, print };
  }

  it("is sampled once for each line of vm_stat, with swap and processes from the survey", async () => {
    const { source, print } = mac();
    expect(source.read()).toBeUndefined();
    await print("/bin/sh", fixture("memory/mac-survey.txt"));
    await print("vm_stat", fixture("memory/vm_stat-1.txt"));
    const reusableBytes = (10020 + 430120 + 1924 + 416033) * PAGE;
    expect(source.read()).toEqual({
      takenAt: 5000,
      totalBytes: TOTAL,
      availableBytes: TOTAL - (591841 - 9452 + 165477 + 89560) * PAGE,
      anonymousBytes: 591841 * PAGE,
      ...macHeadroom({ totalBytes: TOTAL, reusableBytes, compressorBytes: 89560 * PAGE }),
      swapTotalBytes: 3072 * 1024 ** 2,
      swapUsedBytes: 2100.25 * 1024 ** 2,
      // Two lines have counts of their own; the first counts since boot.
      swapOutBytesPerSecond: (0 + 1500 * PAGE) / 2,
      swapInBytesPerSecond: (0 + 12 * PAGE) / 2,
      gpus: [],
      problems: [],
      runners: [
        {
          pid: 1204,
          startedAt: new Date(2025, 10, 21, 9, 31, 17).getTime(),
          anonymousBytes: 4718592 * 1024,
          fileBytes: 0,
          sharedBytes: 0,
          swappedBytes: 0,
        },
      ],
    });
    expect(source.read()).toBeUndefined();
    expect(source.runners()[0]).toMatchObject({
      pid: 1204,
      settings: { contextLength: 8192, offloadedLayers: 33 },
    });
  });

  it("says that a helper is down, gives no samples meanwhile, and ends both helpers on close", async () => {
    const { fake, source, print } = mac();
    await print("vm_stat", fixture("memory/vm_stat-1.txt"));
    source.read();
    fake.latest("vm_stat").end(1);
    expect(source.read()).toBeUndefined();
    expect(source.problems()).toEqual(["vm_stat ended (exit code 1); next try in 1 s"]);
    await vi.advanceTimersByTimeAsync(1000);
    await source.close();
    expect(fake.latest("vm_stat").killed).toBe(true);
    expect(fake.latest("/bin/sh").killed).toBe(true);
  });

  it("forgets swap and processes when nobody looks at them any more", async () => {
    const { fake, source, print } = mac();
    await print("/bin/sh", fixture("memory/mac-survey.txt"));
    expect(source.runners()).toHaveLength(1);
    fake.latest("/bin/sh").end(1);
    await print("vm_stat", fixture("memory/vm_stat-1.txt"));
    const sample = source.read();
    expect(sample?.runners).toEqual([]);
    expect(sample?.swapUsedBytes).toBeUndefined();
    expect(sample?.problems).toEqual([
      "the shell loop that looks at swap and processes ended (exit code 1); next try in 1 s",
    ]);
  });

  it("keeps only a few lines while nobody reads", async () => {
    const { source, print } = mac();
    const [title = "", header = "", sinceBoot = "", quiet = "", swapping = ""] =
      fixture("memory/vm_stat-1.txt").split("\n");
    await print("vm_stat", `${[title, header, sinceBoot, swapping].join("\n")}\n`);
    await print("vm_stat", `${Array.from({ length: 100 }, () => quiet).join("\n")}\n`);
    expect(source.read()?.swapOutBytesPerSecond).toBe(0);
  });
});

it("is chosen on darwin", async () => {
  const fake = fakeSpawn();
  const source = createMemorySource({
    platform: "darwin",
    upstreamIsLocal: true,
    now: () => 0,
    monotonic: () => 0,
    spawn: fake.spawn,
  });
  expect(fake.programs.map(({ command, args }) => [command, args[0]])).toEqual([
    ["vm_stat", "1"],
    ["/bin/sh", "-c"],
  ]);
  await source.close();
});
