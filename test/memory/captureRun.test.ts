import { describe, expect, it } from "vitest";

import { parseCapturedRequests } from "../../src/memory/captureRequests.ts";
import { parseCapturedRows } from "../../src/memory/captureRun.ts";
import { fixture } from "./fixtures.ts";

const MIB = 1024 ** 2;

describe("captured readings", () => {
  it("count against the group's limit what cannot be given back, not its usage", () => {
    const { samples, totalBytes } = parseCapturedRows(
      fixture("swap-captures/promptcache-1480.samples.jsonl"),
    );
    expect(totalBytes).toBe(24684092 * 1024);
    const sample = samples.find(({ takenAt }) => takenAt >= 40_000);
    // Usage stood at 1479 of 1480 MiB.
    expect((sample?.headroomBytes ?? 0) / MIB).toBeCloseTo(246, -1);
    expect(sample?.floorBytes).toBe(Math.round(1551892480 * 0.03));
    const first = samples.find(({ swapOutBytesPerSecond = 0 }) => swapOutBytesPerSecond > MIB);
    expect(Math.round((first?.takenAt ?? 0) / 1000)).toBe(87);
  });

  it.each([
    ["", "line 1: holds no readings"],
    ["{", "line 1: is not valid JSON"],
    ['{"a":1}', 'line 1: needs "t_ms"'],
    ['{"t_ms":1}', "line 1: meminfo_kB has no MemTotal"],
    ['{"t_ms":1,"meminfo_kB":{"MemTotal":1}}\n\n{"t_ms":1}', "line 3: the time does not grow"],
  ])("refuses %j", (text, message) => expect(() => parseCapturedRows(text)).toThrow(message));

  it("leave unknown what a row does not say", () => {
    const { samples } = parseCapturedRows('{"t_ms":0,"meminfo_kB":{"MemTotal":1000}}\n{"t_ms":900}');
    expect(samples[1]?.headroomBytes).toBeUndefined();
    expect(samples[1]?.swapOutBytesPerSecond).toBeUndefined();
  });
});

describe("captured requests", () => {
  it("tell loads with their need, and turns", () => {
    const requests = parseCapturedRequests(
      fixture("swap-captures/second-model-to-swap.requests.jsonl"),
      fixture("swap-captures/second-model-to-swap.server.log"),
    );
    expect(requests.loads).toEqual([
      { model: "synthetic-llama:1b", startedAtMs: 10002, endedAtMs: 16518, needBytes: 1070 * MIB },
      { model: "gemma3:270m", startedAtMs: 41807, endedAtMs: 45050, needBytes: 335 * MIB },
    ]);
    expect(requests.turnsAtMs).toHaveLength(7);
  });

  it("tell what a conversation leaves when another one takes its place", () => {
    const { expectedTurnBytes } = parseCapturedRequests(
      fixture("swap-captures/promptcache-1480.requests.jsonl"),
      fixture("swap-captures/promptcache-1480.server.log"),
    );
    expect(expectedTurnBytes[0]).toBeUndefined();
    // 1,173 tokens and 8 more, 32 KiB each.
    expect((expectedTurnBytes[1] ?? 0) / MIB).toBeCloseTo((1181 * 32) / 1024, 1);
  });

  it("take a chat that had to load for both", () => {
    const line = JSON.stringify({ kind: "chat", model: "m", t_start_ms: 1000, load_duration: 2e9 });
    expect(parseCapturedRequests(line)).toEqual({
      loads: [{ model: "m", startedAtMs: 1000, endedAtMs: 3000, needBytes: undefined }],
      turnsAtMs: [3000],
      expectedTurnBytes: [undefined],
    });
  });

  it("say which line is no JSON", () => {
    expect(() => parseCapturedRequests("\n{")).toThrow("line 2: is not valid JSON");
  });
});
