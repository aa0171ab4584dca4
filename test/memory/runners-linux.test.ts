import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

import { expect, it, onTestFinished, vi } from "vitest";

import { createRunnerWatch } from "../../src/memory/runners-linux.ts";
import { DIGEST, fakeClock, fakeTree, type FakeProcess } from "./fixtures.ts";

const argv = [
  "/usr/lib/ollama/llama-server",
  "--model",
  `/models/blobs/sha256-${DIGEST}`,
  "-c",
  "8192",
  "-np",
  "1",
];
const serve: FakeProcess = { pid: 10, comm: "ollama", argv: ["/usr/bin/ollama", "serve"] };
const runner: FakeProcess = { pid: 20, parentPid: 10, comm: "llama-server", argv };

function machine() {
  const proc = fakeTree();
  const clock = fakeClock();
  proc.write("stat", "cpu  1 2 3\nbtime 1795225000\nprocesses 5\n");
  proc.addProcess(serve);
  return { proc, clock, watch: createRunnerWatch({ procRoot: proc.root, monotonic: clock.monotonic }) };
}

it("measures a runner: anonymous, file-backed, shared and swapped bytes, and when it started", () => {
  const { proc, watch } = machine();
  proc.addProcess(runner);
  expect(watch.read()).toEqual([
    {
      pid: 20,
      startedAt: 1_795_225_000_000 + 42_000,
      anonymousBytes: 390536 * 1024,
      fileBytes: 14708 * 1024,
      sharedBytes: 0,
      swappedBytes: 0,
    },
  ]);
  expect(watch.processes()[0]).toMatchObject({ pid: 20, startTicks: 4200, blobDigest: DIGEST });
  expect(watch.pids()).toEqual([10, 20]);
});

it("looks for new processes every ten seconds, and at once when asked to", () => {
  const { proc, clock, watch } = machine();
  expect(watch.read()).toEqual([]);
  proc.addProcess(runner);
  clock.advance(9999);
  expect(watch.read()).toEqual([]);
  clock.advance(1);
  expect(watch.read()).toHaveLength(1);

  proc.addProcess({ ...runner, pid: 21 });
  clock.advance(1000);
  watch.rescan();
  expect(watch.read()).toHaveLength(2);
});

it("does not scan again within a fifth of a second, however often it is asked to", () => {
  const { clock, watch } = machine();
  watch.read();
  for (let count = 0; count < 10; count += 1) watch.rescan();
  expect(watch.scanCount()).toBe(1);
  clock.advance(200);
  watch.rescan();
  expect(watch.scanCount()).toBe(2);
});

it("looks again within ten seconds at what was another program, not sooner", () => {
  const { proc, clock, watch } = machine();
  proc.addProcess({ ...runner, comm: "sh", argv: ["sh", "start.sh"] });
  expect(watch.read()).toEqual([]);
  proc.addProcess(runner);
  clock.advance(9999);
  watch.rescan();
  expect(watch.read()).toEqual([]);
  clock.advance(200);
  watch.rescan();
  expect(watch.read()).toHaveLength(1);
});

it("finds the next runner in the same reading in which it misses the last one", () => {
  const { proc, clock, watch } = machine();
  proc.addProcess(runner);
  watch.read();
  proc.remove("20");
  proc.addProcess({ ...runner, pid: 30 });
  // A zombie still has a status, without memory lines.
  proc.write("20/status", "Name:\tllama-server\nState:\tZ (zombie)\n");
  clock.advance(1000);
  expect(watch.read()).toHaveLength(1);
});

it("keeps two processes with one number apart by their start", () => {
  const { proc, clock, watch } = machine();
  proc.addProcess(runner);
  watch.read();
  proc.addProcess({ ...runner, startTicks: 9000, status: "Name:\tllama-server\nRssAnon:\t 7 kB\n" });
  clock.advance(10_000);
  expect(watch.read()[0]).toMatchObject({ anonymousBytes: 7 * 1024, startedAt: 1_795_225_090_000 });
  expect(watch.processes()).toHaveLength(1);
});

it("is not misled by a name with spaces and brackets, or by a process that ends during the scan", () => {
  const { proc, watch } = machine();
  proc.addProcess({ ...runner, parentPid: 15 });
  proc.addProcess({ pid: 15, parentPid: 10, comm: "a) S 1 (b", argv: ["sh"] });
  proc.write("99/comm", "ollama\n"); // Nothing else of it is left.
  expect(watch.read().map(({ pid }) => pid)).toEqual([20]);
});

it("has no start time when the boot time is not known", () => {
  const { proc, watch } = machine();
  proc.remove("stat");
  proc.addProcess(runner);
  expect(watch.read()[0]?.startedAt).toBeUndefined();
});

it.runIf(process.platform === "linux")(
  "finds and loses a real process with a runner's name and parent",
  async () => {
    const folder = fakeTree().root;
    mkdirSync(join(folder, "bin"));
    for (const name of ["ollama", "llama-server"]) symlinkSync("/bin/sh", join(folder, "bin", name));
    // A shell under the name `ollama` takes its first argument for a script: so the script is called `serve`.
    writeFileSync(
      join(folder, "serve"),
      `"$1" -c "while :; do sleep 1; done" -- --model "$2" >/dev/null & echo $!
     trap "kill -9 $!; exit" TERM; wait`,
    );
    const server = spawn(
      join(folder, "bin/ollama"),
      ["serve", join(folder, "bin/llama-server"), `/blobs/sha256-${DIGEST}`],
      { cwd: folder, stdio: ["ignore", "pipe", "ignore"] },
    );
    onTestFinished(() => void server.kill("SIGTERM"));
    const [printed] = await once(server.stdout, "data");
    const pid = Number(printed);
    const watch = createRunnerWatch({ procRoot: "/proc", monotonic: () => performance.now() });

    // The shell says the number before the child has become what it will be.
    const found = await vi.waitFor(() => {
      watch.rescan();
      const sample = watch.read().find((each) => each.pid === pid);
      if (sample === undefined) throw new Error("not found yet");
      return sample;
    });
    expect(found.anonymousBytes).toBeGreaterThan(0);
    expect(found.fileBytes).toBeGreaterThan(0);
    expect(Math.abs((found.startedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(watch.processes().find((process) => process.pid === pid)?.blobDigest).toBe(DIGEST);

    server.kill("SIGTERM");
    await once(server, "exit");
    // A killed child is gone a moment after whoever killed it.
    await vi.waitFor(() => expect(watch.read().find((sample) => sample.pid === pid)).toBeUndefined());
    watch.close();
  },
);

it("reads the environment of the server and of each runner once, after the scan", async () => {
  const { proc, clock } = machine();
  proc.addProcess(runner);
  const asked: number[] = [];
  const watch = createRunnerWatch({
    procRoot: proc.root,
    monotonic: clock.monotonic,
    readEnvironment: async (pid) => {
      asked.push(pid);
      return pid === 10 ? { OLLAMA_NUM_PARALLEL: "2" } : { OLLAMA_NUM_PARALLEL: "3" };
    },
  });
  watch.read();
  expect(asked).toEqual([]);
  await vi.waitFor(() => expect(watch.serverEnvironment()).toEqual({ OLLAMA_NUM_PARALLEL: "2" }));
  await vi.waitFor(() =>
    expect(watch.processes()[0]?.settings.environment).toEqual({ OLLAMA_NUM_PARALLEL: "3" }),
  );
  clock.advance(60_000);
  watch.read();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(asked.toSorted()).toEqual([10, 20]);

  proc.remove("10");
  clock.advance(60_000);
  watch.read();
  expect(watch.serverEnvironment()).toBeUndefined();
});

it("goes on without an environment that it may not read", async () => {
  const { proc, clock } = machine();
  proc.addProcess(runner);
  const readEnvironment = vi.fn(async () => undefined);
  const watch = createRunnerWatch({ procRoot: proc.root, monotonic: clock.monotonic, readEnvironment });
  watch.read();
  await vi.waitFor(() => expect(readEnvironment).toHaveBeenCalledTimes(2));
  expect(watch.processes()[0]?.settings.environment).toBeUndefined();
  expect(watch.serverEnvironment()).toBeUndefined();
});
