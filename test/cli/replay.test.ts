/** `plimsoll replay` as people run it. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";

import { readBytes } from "../../src/cli/replay.ts";
import { openStore } from "../../src/store/client.ts";
import type { Snapshot } from "../../src/types.ts";
import { waitFor } from "../support/waitFor.ts";

const folder = mkdtempSync(join(tmpdir(), "plimsoll-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));
const run = promisify(execFile);

async function replay(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await run(process.execPath, ["src/main.ts", "replay", ...args]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

const RUNS = "test/fixtures/memory-runs";

describe("plimsoll replay", () => {
  it("prints the fixed shape as JSON", async () => {
    const { code, out } = await replay(
      `${RUNS}/D1_cg_high_6.12.csv`,
      "--runs",
      `${RUNS}/runs.json`,
      "--json",
    );
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(Object.keys(result)).toEqual([
      "event",
      "eventAtSeconds",
      "leadSeconds",
      "falseAlarms",
      "episodes",
    ]);
    expect(result).toMatchObject({ event: "swap", eventAtSeconds: 40, falseAlarms: 0 });
    expect(result.leadSeconds).toBeGreaterThanOrEqual(10);
  });

  it("says it in words, and exits 0 whatever was found", async () => {
    const { code, out } = await replay(`${RUNS}/A1_ramp20_6.1_classic.csv`);
    expect(code).toBe(0);
    expect(out).toMatch(/swapping began at 71\.75 s\n {2}warned \d+(\.\d)? s before\n {2}false alarms: 0/);
    expect((await replay(`${RUNS}/B3_saw_6.12_mglru.csv`)).out).toContain("nothing happened");
  });

  it("takes the total from --total", async () => {
    const table = join(folder, "plain.csv");
    const rows = Array.from({ length: 30 }, (_, index) => `${index},${1_000_000 - index}`);
    writeFileSync(table, ["t,MemAvailable", ...rows].join("\n"));
    const without = await replay(table);
    expect(without.code).toBe(1);
    expect(without.err).toContain("totalBytes");
    expect((await replay(table, "--total", "2GiB", "--json")).code).toBe(0);
    const wrong = await replay(table, "--total", "lots");
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('"lots" is no size')]);
  });

  it.each([
    [["nowhere.csv"], 1, "nowhere.csv cannot be read"],
    [[`${RUNS}/A1_ramp20_6.1_classic.csv`, "--runs", "nowhere.json"], 1, "nowhere.json cannot be read"],
    [[], 2, "name one recording"],
  ])("explains %j", async (args, code, message) => {
    const result = await replay(...args);
    expect([result.code, result.err]).toEqual([code, expect.stringContaining(message)]);
  });

  it("reproduces from the database what was recorded there", async () => {
    const store = await openStore({
      dataDir: folder,
      now: () => Date.now(),
      monotonic: () => performance.now(),
      log: { debug() {}, info() {}, warn() {}, error() {} },
      retention: {
        rawSampleHours: 6,
        tenSecondSampleDays: 1,
        minuteSampleDays: 1,
        exchangeDays: 1,
        otherExchangeDays: 1,
      },
    });
    const GIB = 2 ** 30;
    const startedAt = Date.now() - 200_000;
    for (let second = 0; second < 120; second += 1) {
      const left = second < 20 ? 7 * GIB : Math.max(0, 7 * GIB - (second - 20) * 0.1 * GIB);
      store.saveSample({
        takenAt: startedAt + second * 1000,
        totalBytes: 16 * GIB,
        availableBytes: left,
        headroomBytes: left - 0.48 * GIB,
        floorBytes: 0.48 * GIB,
        swapOutBytesPerSecond: left === 0 ? 50 * 2 ** 20 : 0,
        gpus: [],
        runners: [],
        problems: [],
      });
    }
    await store.flush(5000);
    const { code, out } = await replay(join(folder, "plimsoll.db"), "--json");
    await store.close();
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result).toMatchObject({ event: "swap", falseAlarms: 0 });
    expect(result.eventAtSeconds).toBeGreaterThan(88);
    expect(result.leadSeconds).toBeGreaterThan(40);
  });
});

it.each([
  ["17179869184", 2 ** 34],
  ["16GiB", 2 ** 34],
  ["16g", 2 ** 34],
  ["512 MB", 2 ** 29],
  ["", undefined],
  ["-1", undefined],
  ["0", undefined],
])("reads the size %j", (text, bytes) => expect(readBytes(text)).toBe(bytes));

it("shows a recording on a page of its own, with its alerts, until it is stopped", async () => {
  const child = spawn(process.execPath, [
    "src/main.ts",
    "replay",
    `${RUNS}/D1_cg_high_6.12.csv`,
    "--speed",
    "10",
    "--listen",
    "127.0.0.1:0",
  ]);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  try {
    await waitFor(() => said.includes("page "), { timeoutMs: 15_000 });
    const url = /page +(http:\S+)/.exec(said)?.[1] ?? "";
    expect(said).toContain("at 10 times its speed");
    await waitFor(
      async () => {
        const status = (await (await fetch(`${url}api/status`)).json()) as Snapshot;
        return status.simulated === true && status.episodes.some(({ level }) => level === "warn");
      },
      { timeoutMs: 15_000, everyMs: 100 },
    );
  } finally {
    child.kill("SIGINT");
  }
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(130);
});

it.each(["0", "fast", "1000"])("refuses the speed %j", async (speed) => {
  const result = await replay(`${RUNS}/D1_cg_high_6.12.csv`, "--speed", speed);
  expect([result.code, result.err]).toEqual([2, expect.stringContaining("is no speed")]);
});
