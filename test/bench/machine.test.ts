import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createProc, type Proc } from "../../bench/machine/proc.ts";
import { BusyError, createQuiet } from "../../bench/machine/quiet.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plimsoll-proc-"));
});

afterEach(() => rmSync(root, { recursive: true }));

/** `ticks`: utime, stime, cutime, cstime. */
function addProcess(pid: number, parent: number, { name = "x", ticks = [0, 0, 0, 0], rssKb = 0 } = {}): void {
  mkdirSync(join(root, String(pid)));
  const before = "1 1 0 -1 4194304 99 0 0 0";
  writeFileSync(
    join(root, String(pid), "stat"),
    `${pid} (${name}) S ${parent} ${before} ${ticks.join(" ")} 20 0 1`,
  );
  writeFileSync(
    join(root, String(pid), "status"),
    `Name:\t${name}\nVmHWM:\t9999 kB\nVmRSS:\t    ${rssKb} kB\n`,
  );
}

describe("createProc", () => {
  it("finds a process and all that descend from it", () => {
    addProcess(10, 1);
    addProcess(11, 10);
    addProcess(12, 11);
    addProcess(20, 1);
    mkdirSync(join(root, "sys"));
    expect(createProc(root).withDescendants([10]).toSorted()).toEqual([10, 11, 12]);
  });

  it("adds up processor time, of children that have ended too, whatever a process calls itself", () => {
    addProcess(10, 1, { name: "a) (b c", ticks: [100, 20, 3, 1] });
    addProcess(11, 10, { ticks: [0, 6, 0, 0] });
    expect(createProc(root).cpuMs([10, 11])).toBe(1300);
  });

  it("adds up resident memory, and takes none for a process that has gone", () => {
    addProcess(10, 1, { rssKb: 2048 });
    expect(createProc(root).rssBytes([10, 99])).toBe(2048 * 1024);
  });

  it("counts what programs used on the machine, without idle time, waiting and interrupts", () => {
    writeFileSync(join(root, "stat"), "cpu  100 20 30 9999 500 7 8 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n");
    expect(createProc(root).machineCpuMs()).toBe(1540);
  });
});

/** A machine of two processors on which others use `ratio` of all, and we use 100 ms in each sleep. */
function machine(ratioAt: (nowMs: number) => number) {
  let nowMs = 0;
  let machineCpuMs = 0;
  let ownMs = 0;
  const proc: Proc = {
    withDescendants: (pids) => [...pids],
    cpuMs: () => ownMs,
    rssBytes: () => 0,
    machineCpuMs: () => machineCpuMs,
  };
  return {
    proc,
    ownPid: 1,
    cores: 2,
    lookMs: 1000,
    busyOk: false,
    monotonic: () => nowMs,
    async sleep(milliseconds: number) {
      ownMs += 100;
      machineCpuMs += 100 + ratioAt(nowMs) * 2 * milliseconds;
      nowMs += milliseconds;
    },
  };
}

/** Work of 5 s; answers when each attempt began. */
function workOn(parts: ReturnType<typeof machine>) {
  const startedAtMs: number[] = [];
  const work = async (): Promise<number[]> => {
    startedAtMs.push(parts.monotonic());
    await parts.sleep(5000);
    return startedAtMs;
  };
  return work;
}

describe("createQuiet", () => {
  it("goes on at once on a quiet machine, and keeps what others used meanwhile", async () => {
    const parts = machine(() => 0.1);
    const quiet = createQuiet(parts);
    expect(await quiet.quietly(workOn(parts))).toEqual([1000]);
    expect(quiet.othersMaxRatio()).toBeCloseTo(0.1);
  });

  it("waits for others to finish", async () => {
    const parts = machine((nowMs) => (nowMs < 10_000 ? 0.9 : 0));
    expect(await createQuiet(parts).quietly(workOn(parts))).toEqual([11_000]);
  });

  it("measures again what others came into", async () => {
    const parts = machine((nowMs) => (nowMs === 1000 ? 0.9 : 0));
    const quiet = createQuiet(parts);
    expect(await quiet.quietly(workOn(parts))).toEqual([1000, 7000]);
    expect(quiet.othersMaxRatio()).toBe(0);
  });

  it.each([
    ["others stay for a minute", () => 0.6, 0],
    ["others come into every attempt", (nowMs: number) => (nowMs % 6000 === 1000 ? 0.6 : 0), 4],
  ])("refuses when %s, with the share and the way out", async (_, ratioAt, attempts) => {
    const parts = machine(ratioAt);
    let begun = 0;
    const work = (): Promise<void> => {
      begun += 1;
      return parts.sleep(5000);
    };
    const refusal = createQuiet(parts).quietly(work);
    await expect(refusal).rejects.toThrow(BusyError);
    await expect(refusal).rejects.toThrow(/60 % of the processors.*--busy-ok/);
    expect(begun).toBe(attempts);
  });

  it("goes on all the same when told to, and keeps the share for the report", async () => {
    const parts = { ...machine(() => 0.6), busyOk: true };
    const quiet = createQuiet(parts);
    expect(await quiet.quietly(workOn(parts))).toHaveLength(1);
    expect(quiet.othersMaxRatio()).toBeCloseTo(0.6);
  });
});
