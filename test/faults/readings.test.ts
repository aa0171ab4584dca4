/** Memory readings that vanish; helper programs that are missing, hang, die or print rubbish. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createNvidiaWatch } from "../../src/memory/gpu-nvidia.ts";
import { createHelper, type Helper } from "../../src/memory/helper.ts";
import { createMacSource } from "../../src/memory/host-macos.ts";
import { createWindowsSource } from "../../src/memory/host-windows.ts";
import { createLinuxSource } from "../../src/memory/host-linux.ts";
import type { MemorySource } from "../../src/memory/sampler.ts";
import { spawnHelper } from "../../src/memory/spawn.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { chat, health, startStreamer } from "./support/chat.ts";

afterEach(cleanUp);

const clocks = { now: () => Date.now(), monotonic: () => performance.now() };
const noGpu = {
  read: () => [],
  processes: () => new Map(),
  problems: () => [],
  setDeviceInUse() {},
  close: async () => {},
};

function aFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), "plimsoll-faults-"));
  onCleanUp(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("readings vanish and come back: no sample is made up, the problem is named, chats go on (promises 5 and 10)", async () => {
  const proc = aFolder();
  const fixtures = new URL("../fixtures/memory/", import.meta.url).pathname;
  const put = (): void => {
    mkdirSync(path.join(proc, "pressure"), { recursive: true });
    writeFileSync(path.join(proc, "meminfo"), readFileSync(path.join(fixtures, "proc-meminfo.txt")));
    writeFileSync(path.join(proc, "vmstat"), readFileSync(path.join(fixtures, "proc-vmstat.txt")));
    writeFileSync(path.join(proc, "pressure/memory"), readFileSync(path.join(fixtures, "proc-pressure.txt")));
  };
  put();
  const { url, app } = await startBehind(await startStreamer(), {
    settings: { sampling: { intervalMs: 250 } },
    parts: {
      memorySource: () => createLinuxSource({ roots: { proc, sys: "/nowhere" }, ...clocks, gpu: noGpu }),
    },
  });
  await waitFor(() => app.snapshot().sample?.totalBytes !== undefined);
  // Emptied rather than removed: a kept descriptor still reads a file that is only unlinked, which those of /proc cannot be.
  for (const file of ["meminfo", "vmstat", "pressure/memory"]) writeFileSync(path.join(proc, file), "");
  await waitFor(() => app.snapshot().sample?.availableBytes === undefined);
  await chat(url);
  put();
  await waitFor(() => app.snapshot().sample?.availableBytes !== undefined);
});

it.skipIf(process.platform !== "linux")(
  "a process whose arguments the kernel holds back: no reading and no chat waits for it (promises 2 and 5)",
  async () => {
    const proc = aFolder();
    const fixtures = new URL("../fixtures/memory/", import.meta.url).pathname;
    for (const name of ["meminfo", "vmstat"]) {
      writeFileSync(path.join(proc, name), readFileSync(path.join(fixtures, `proc-${name}.txt`)));
    }
    mkdirSync(path.join(proc, "4242"));
    const fifo = path.join(proc, "4242", "cmdline");
    writeFileSync(path.join(proc, "4242", "comm"), "llama-server\n");
    writeFileSync(path.join(proc, "4242", "stat"), `4242 (llama-server) R 1 ${"0 ".repeat(17)}777 0`);
    // A pipe that nobody writes to holds its reader, as the kernel does while a process maps memory.
    execFileSync("mkfifo", [fifo]);
    onCleanUp(async () => closeSync(openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)));
    const { url, app } = await startBehind(await startStreamer(), {
      settings: { sampling: { intervalMs: 250 } },
      parts: {
        memorySource: () =>
          createLinuxSource({ roots: { proc, sys: "/nowhere" }, ...clocks, gpu: noGpu, neverBlock: true }),
      },
    });
    const begun = performance.now();
    await waitFor(() => app.snapshot().sample !== undefined);
    await chat(url);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(app.snapshot().sample?.runners).toEqual([]);
  },
);

it("a source that throws at each reading: said in health, chats go on (promise 5)", async () => {
  const source: MemorySource = {
    state: "on",
    read: () => {
      throw new Error("meminfo is gone");
    },
    runners: () => [],
    rescan() {},
    problems: () => [],
    setDeviceInUse() {},
    close: async () => {},
  };
  const { url } = await startBehind(await startStreamer(), { parts: { memorySource: () => source } });
  await chat(url);
  expect((await health(url)).sampler.problems.join()).toContain("meminfo is gone");
});

describe("a helper program", () => {
  function run(script: string, silentMs = 300): { helper: Helper; lines: string[] } {
    const lines: string[] = [];
    const helper = createHelper({
      name: "tool",
      command: "sh",
      args: ["-c", script],
      spawn: spawnHelper,
      silentMs,
      monotonic: clocks.monotonic,
      onLine: (line) => lines.push(line),
    });
    onCleanUp(() => helper.stop());
    helper.start();
    return { helper, lines };
  }

  it("that is missing: said once, tried again later, no exception (promise 5)", async () => {
    const helper = createHelper({
      name: "tool",
      command: "/no/such/program",
      args: [],
      spawn: spawnHelper,
      silentMs: 300,
      monotonic: clocks.monotonic,
      onLine: () => {},
    });
    onCleanUp(() => helper.stop());
    helper.start();
    await waitFor(() => helper.problem() !== undefined);
    expect(helper.problem()).toMatch(/tool is not installed; next try in 1 s/);
  });

  it("that hangs: ended after its time, and said (promise 10)", async () => {
    const { helper } = run("exec sleep 600");
    await waitFor(() => helper.problem() !== undefined);
    expect(helper.problem()).toContain("said nothing for 0.3 s");
  });

  it("that ignores polite signals is ended all the same (promise 7)", async () => {
    const { helper } = run("trap '' TERM INT; while :; do sleep 0.1; done");
    await waitFor(() => helper.problem() !== undefined);
    await helper.stop();
  });

  it("that dies at once: tried again with growing pauses, not in a loop (promise 11)", async () => {
    const { helper, lines } = run("echo started; exit 3", 5000);
    await waitFor(() => helper.problem() !== undefined);
    expect(helper.problem()).toContain("exit code 3");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(lines.length).toBeLessThanOrEqual(3);
  });

  it("that prints endlessly without a line end: what is kept is bounded (promise 7)", async () => {
    const before = process.memoryUsage().heapUsed;
    const { helper, lines } = run("head -c 30000000 /dev/zero | tr '\\0' x; sleep 1", 5000);
    await waitFor(() => helper.problem() !== undefined, { timeoutMs: 15_000 });
    expect(lines.every((line) => line.length <= 1024 * 1024)).toBe(true);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("rubbish from the tools of each system gives no figure (promise 10)", () => {
  const rubbish = [
    "",
    "\0\0\0",
    "{",
    "{}",
    "[]",
    "null",
    "NaN,NaN,NaN",
    "Pages free: lots.",
    "GPU-x, y, -1, 1e999",
    "💥".repeat(1000),
  ];
  /** A program that prints all of it and then stays. */
  const spawnRubbish = () =>
    spawnHelper("sh", [
      "-c",
      `printf '%s\\n' "$@"; exec sleep 600`,
      "sh",
      ...rubbish.map((line) => line.replaceAll("\0", "?")),
    ]);

  it("nvidia-smi", async () => {
    const watch = createNvidiaWatch({ spawn: spawnRubbish, monotonic: clocks.monotonic });
    onCleanUp(() => watch.close());
    watch.setDeviceInUse(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    for (const gpu of watch.read()) {
      expect(gpu.usedBytes).toBeUndefined();
      expect(gpu.totalBytes).toBeUndefined();
    }
  });

  it.each([
    ["macOS", () => createMacSource({ totalBytes: 1, spawn: spawnRubbish, ...clocks, gpu: noGpu })],
    [
      "Windows",
      () =>
        createWindowsSource({
          totalBytes: 1,
          freeBytes: () => 1,
          spawn: spawnRubbish,
          ...clocks,
          gpu: noGpu,
        }),
    ],
  ] as const)("%s", async (_name, create) => {
    const source = create();
    onCleanUp(() => source.close());
    const deadline = performance.now() + 400;
    while (performance.now() < deadline) {
      const sample = source.read();
      for (const [name, value] of Object.entries(sample ?? {})) {
        if (typeof value === "number") expect(Number.isFinite(value), `${name} ${value}`).toBe(true);
      }
      expect(sample?.runners ?? []).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});
