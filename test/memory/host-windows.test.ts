import { beforeEach, describe, expect, it, vi } from "vitest";

import { createWindowsSource } from "../../src/memory/host-windows.ts";
import { parseWindowsReport, REPORT_SCRIPT } from "../../src/memory/windowsReport.ts";
import { fakeSpawn } from "./fakeSpawn.ts";
import { DIGEST, fixture } from "./fixtures.ts";

const GIB = 1024 ** 3;
const [FULL = "", SHORT = ""] = fixture("memory/windows-report.jsonl").split("\n");

it("asks with a script that needs no quoting on its way to PowerShell", () => {
  expect(REPORT_SCRIPT).not.toContain('"');
});

it("reads a report with processes and page files", () => {
  expect(parseWindowsReport(FULL)).toEqual({
    availableBytes: 21474836480,
    committedBytes: 18253611008,
    commitLimitBytes: 36507222016,
    pagesOutPerSecond: 0,
    swap: { swapTotalBytes: 4864 * 1024 ** 2, swapUsedBytes: 312 * 1024 ** 2 },
    runners: [
      {
        process: expect.objectContaining({
          pid: 7712,
          startedAt: 1795225525500,
          blobDigest: DIGEST,
          settings: expect.objectContaining({ contextLength: 8192, mmap: false }),
        }),
        workingSetBytes: 5368709120,
        privateBytes: 5100273664,
      },
    ],
  });
});

it("reads a report that has only memory", () => {
  expect(parseWindowsReport(SHORT)).toEqual({
    availableBytes: 20401094656,
    committedBytes: 35433480192,
    commitLimitBytes: 36507222016,
    pagesOutPerSecond: 320,
  });
});

it.each([
  "",
  "{",
  "null",
  "[]",
  '"text"',
  "{}",
  '{"available":1,"committed":2}',
  '{"available":"1","committed":2,"commitLimit":3}',
])("gives nothing for %j", (line) => {
  expect(parseWindowsReport(line)).toBeUndefined();
});

it("gives nothing, or a whole report, for a line cut anywhere", () => {
  for (let length = 0; length < FULL.length; length += 1) {
    expect(parseWindowsReport(FULL.slice(0, length))).toBeUndefined();
  }
});

describe("a Windows machine", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    return () => vi.useRealTimers();
  });

  function machine() {
    const fake = fakeSpawn();
    const source = createWindowsSource({
      totalBytes: 32 * GIB,
      freeBytes: () => 7 * GIB,
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
    const report = async (line: string): Promise<void> => {
      fake.latest().print(`${line}\r\n`);
      await vi.advanceTimersByTimeAsync(0);
    };
    return { fake, source, report };
  }

  it("is sampled once for each report; headroom ends where commit does", async () => {
    const { source, report } = machine();
    await report(FULL);
    expect(source.read()).toMatchObject({ availableBytes: 21474836480, swapUsedBytes: 312 * 1024 ** 2 });
    expect(source.read()).toBeUndefined();

    await report(SHORT);
    const floorBytes = Math.round(0.05 * 32 * GIB);
    expect(source.read()).toEqual({
      takenAt: 5000,
      totalBytes: 32 * GIB,
      availableBytes: 20401094656,
      floorBytes,
      headroomBytes: 36507222016 - 35433480192 - floorBytes,
      swapTotalBytes: 4864 * 1024 ** 2,
      swapUsedBytes: 312 * 1024 ** 2,
      swapOutBytesPerSecond: 320 * 4096,
      gpus: [],
      problems: [],
      runners: [
        {
          pid: 7712,
          startedAt: 1795225525500,
          anonymousBytes: 5100273664,
          fileBytes: 5368709120 - 5100273664,
          sharedBytes: 0,
          swappedBytes: 0,
        },
      ],
    });
  });

  it("has available memory alone while the loop is down, and says so", async () => {
    const { fake, source, report } = machine();
    await report(FULL);
    source.read();
    fake.latest().end(1);
    await vi.advanceTimersByTimeAsync(900);
    expect(source.read()).toBeUndefined();
    vi.setSystemTime(Date.now() + 5000);
    expect(source.read()).toEqual({
      takenAt: 5000,
      totalBytes: 32 * GIB,
      availableBytes: 7 * GIB,
      gpus: [],
      runners: [],
      problems: ["the PowerShell loop that reads memory ended (exit code 1); next try in 1 s"],
    });
    await source.close();
  });
});
