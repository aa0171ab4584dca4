import { beforeEach, describe, expect, it } from "vitest";

import { createMemoryWarning, type MemoryWarning } from "../src/memoryWarning.ts";
import type { PredictAnswer } from "../src/types.ts";
import type { Episode, Exchange, Load, MemorySample } from "../src/types.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TOTAL = 16 * GIB;
const FLOOR = Math.round(0.03 * TOTAL);

let nowMs: number;
let saved: Episode[];
let published: Episode[];
let told: Episode[];
let needMib: number | undefined;
let fitVerdict: string;
let willLoad: boolean;
let fails: boolean;
let visible: boolean;
let warning: MemoryWarning;

function sample(leftBytes: number, more: Partial<MemorySample> = {}): MemorySample {
  return {
    takenAt: nowMs,
    totalBytes: TOTAL,
    availableBytes: Math.max(0, leftBytes),
    headroomBytes: leftBytes - FLOOR,
    floorBytes: FLOOR,
    gpus: [],
    runners: [],
    problems: [],
    ...more,
  };
}

/** One reading a second; answers the last forecast. */
function seconds(count: number, left: (second: number) => number, more?: Partial<MemorySample>) {
  let forecast;
  for (let second = 0; second < count; second += 1) {
    forecast = warning.sampled(sample(left(second), more));
    nowMs += 1000;
  }
  return forecast;
}

function exchange(id: string, more: Partial<Exchange> = {}): Exchange {
  return {
    id,
    startedAt: nowMs,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "llama3.1:8b",
    client: {},
    requestBytes: 1,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
    ...more,
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const last = (): Episode | undefined => published.at(-1);

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  saved = [];
  published = [];
  told = [];
  needMib = 4096;
  willLoad = false;
  fitVerdict = "overflows";
  fails = false;
  visible = true;
  let count = 0;
  warning = createMemoryWarning({
    store: {
      saveEpisode: (episode: Episode) => {
        if (fails) throw new Error("disk");
        saved.push(episode);
      },
      episodes: async () => ({ episodes: saved.toReversed() }),
    } as never,
    now: () => nowMs,
    monotonic: () => nowMs,
    newId: () => String((count += 1)),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    ask: {
      // Any model is known, so that each load is estimated anew.
      known: () => ({}) as never,
      predict: async () =>
        ({
          ...(needMib !== undefined && { weightsBytes: { hostBytes: needMib * MIB, deviceBytes: 0 } }),
          kvCacheBytes: { hostBytes: 0, deviceBytes: 0 },
          recurrentStateBytes: { hostBytes: 0, deviceBytes: 0 },
          computeBytes: { hostBytes: 0, deviceBytes: 0 },
          fit: { verdict: fitVerdict, largestContextThatFits: 4096 },
        }) as unknown as PredictAnswer,
    },
    willLoad: () => willLoad,
    models: () => [],
    live: () => [],
    ollamaVersion: () => "0.33.0",
    memoryIsVisible: () => visible,
    swapIsCompressed: () => false,
    unifiedMemory: () => false,
    publish: (episode) => published.push(episode),
    tell: (episode) => told.push(episode),
  });
});

describe("a load that will not fit", () => {
  it("is called before it begins, with what is short and the fix", async () => {
    seconds(12, () => 3.5 * GIB);
    willLoad = true;
    warning.observer.onRequest?.(exchange("a"), {});
    expect(published).toEqual([]);
    await settled();
    expect(last()).toMatchObject({ level: "warn", kind: "memory" });
    expect(last()?.text).toContain("Loading llama3.1:8b needs 4.0 GiB");
    expect(last()?.remedies[0]?.text).toContain("4096");
    expect(warning.forecast()?.announced).toMatchObject({ model: "llama3.1:8b", needBytes: 4096 * MIB });
  });

  it("that fits says nothing, and its own fall is no trend", async () => {
    seconds(12, () => 12 * GIB);
    willLoad = true;
    warning.observer.onRequest?.(exchange("a"), {});
    await settled();
    seconds(20, (second) => 12 * GIB - second * 200 * MIB);
    warning.observer.onUpdate?.(exchange("a", { state: { phase: "streaming", firstTokenAt: nowMs } }));
    seconds(30, () => 8 * GIB);
    expect(published).toEqual([]);
  });

  it("of a model that Ollama does not describe is only feared when little is left", async () => {
    needMib = undefined;
    seconds(12, () => 8 * GIB);
    willLoad = true;
    warning.observer.onRequest?.(exchange("a"), {});
    await settled();
    expect(published).toEqual([]);
    warning.observer.onEnd?.(exchange("a", { state: { phase: "cancelled", endedAt: nowMs } }));
    seconds(5, () => 2.5 * GIB);
    warning.observer.onRequest?.(exchange("b"), {});
    await settled();
    expect(last()?.level).toBe("warn");
    expect(last()?.text).toContain("not known");
  });
});

it("a load that fits is told no context to ask for, whatever alert is open", async () => {
  fitVerdict = "fits";
  seconds(12, () => 1.2 * GIB);
  willLoad = true;
  warning.observer.onRequest?.(exchange("a"), {});
  await settled();
  seconds(3, () => 1 * GIB);
  expect(last()?.remedies.length).toBeGreaterThan(0);
  expect(
    last()
      ?.remedies.map(({ text }) => text)
      .join(),
  ).not.toContain("num_ctx");
});

describe("an episode", () => {
  const fall = (second: number): number => 7 * GIB - second * 100 * MIB;

  it("is one from its rise to its end, with its lead", () => {
    seconds(60, fall);
    expect(new Set(published.map(({ id }) => id)).size).toBe(1);
    expect(last()?.forecast?.secondsToSwap).toBeGreaterThan(0);
    seconds(12, (second) => 1 * GIB - second * 80 * MIB, { swapOutBytesPerSecond: 0 });
    const warnedAt = published.find(({ level }) => level === "warn")?.peakAt ?? 0;
    seconds(3, () => 0, { swapOutBytesPerSecond: 50 * MIB, swapInBytesPerSecond: 5 * MIB });
    expect(last()).toMatchObject({ level: "swapping", outcome: "hit" });
    expect(last()?.leadSeconds).toBeCloseTo(((last()?.swapAt ?? 0) - warnedAt) / 1000, 0);
    expect(warning.level()).toBe("swapping");
    seconds(200, () => 12 * GIB);
    expect(last()).toMatchObject({ currentLevel: "ok", outcome: "hit", level: "swapping" });
    expect(last()?.text).toMatch(/go out to swap/);
    expect(last()?.endedAt).toBeDefined();
    expect(warning.episodes()).toEqual([]);
    expect(saved.at(-1)).toEqual(last());
  });

  it("that nothing came of is marked a false alarm, and its repetition is not sent again", () => {
    seconds(20, () => 12 * GIB);
    seconds(10, () => 1.5 * GIB);
    seconds(200, () => 12 * GIB);
    expect(last()).toMatchObject({ outcome: "false-alarm", currentLevel: "ok" });
    const before = told.length;
    seconds(10, () => 1.5 * GIB);
    expect(published.at(-1)?.endedAt).toBeUndefined();
    expect(told.length).toBe(before);
    seconds(3, () => 0.5 * GIB, { swapOutBytesPerSecond: 50 * MIB });
    expect(told.at(-1)?.level).toBe("swapping");
  });

  it("that somebody ended by unloading a model is no false alarm", () => {
    const runner = { pid: 7, anonymousBytes: 6 * GIB, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 };
    seconds(20, () => 1.5 * GIB, { runners: [runner] });
    seconds(200, () => 12 * GIB);
    expect(last()?.endedAt).toBeDefined();
    expect(last()?.outcome).toBeUndefined();
  });

  it("that an earlier run of the program left open is ended at the start", async () => {
    saved.push({ id: "old", level: "warn", startedAt: 5, peakAt: 9, causes: [], remedies: [] });
    await warning.start();
    expect(saved.at(-1)).toMatchObject({ id: "old", endedAt: 9, currentLevel: "ok" });
  });

  it("is listed with its latest figures", async () => {
    seconds(30, () => 1.5 * GIB);
    const { rows } = await warning.list({});
    expect(rows[0]).toEqual(warning.episodes()[0]);
  });
});

describe("what must not happen", () => {
  it("a recorder that throws never reaches the sampler", () => {
    fails = true;
    expect(() => seconds(60, () => 0.5 * GIB)).not.toThrow();
  });

  it("no forecast comes from readings older than 5 s, nor from a jump of the clock", () => {
    seconds(30, (second) => 7 * GIB - second * 100 * MIB);
    expect(warning.forecast()).toBeDefined();
    nowMs += 5001;
    expect(warning.forecast()).toBeUndefined();
    nowMs += 3_600_000;
    const forecast = warning.sampled(sample(3 * GIB));
    expect(forecast?.secondsToSwap).toBeUndefined();
  });

  it("says whether the machine swaps now", () => {
    seconds(10, () => 2 * GIB);
    expect(warning.swapsNow()).toBe(false);
    seconds(10, () => 0, { swapOutBytesPerSecond: 50 * MIB });
    expect(warning.swapsNow()).toBe(true);
    seconds(12, () => 4 * GIB);
    expect(warning.swapsNow()).toBe(false);
  });
});

describe("a device's memory", () => {
  const gpu = (usedBytes: number) => [
    { id: "0", vendor: "nvidia" as const, name: "RTX", totalBytes: 8 * GIB, usedBytes },
  ];

  it("under 5 % free is an episode of its own", () => {
    seconds(3, () => 12 * GIB, { gpus: gpu(7.9 * GIB) });
    expect(published).toHaveLength(1);
    expect(last()).toMatchObject({ kind: "gpu", level: "warn" });
    seconds(40, () => 12 * GIB, { gpus: gpu(4 * GIB) });
    expect(last()?.endedAt).toBeDefined();
  });

  it("that takes fewer layers than at the load before is one", () => {
    const load = (id: string, layers: number): Load => ({
      id,
      startedAt: nowMs,
      model: "llama3.1:8b",
      cause: "options",
      settings: { offloadedLayers: layers },
    });
    warning.loadChanged(load("1", 33));
    warning.loadChanged({ ...load("1", 33), unloadedAt: nowMs });
    warning.loadChanged(load("2", 20));
    expect(last()?.text).toContain("20 of its layers on the GPU instead of 33");
    warning.loadChanged({ ...load("2", 20), unloadedAt: nowMs });
    expect(last()?.endedAt).toBeDefined();
  });
});

describe("a host whose memory is not visible", () => {
  const answer = (decodeMs: number, loadMs = 1): Exchange =>
    exchange("x", {
      state: { phase: "completed", endedAt: nowMs },
      contextTokensUsed: 1000,
      usage: { outputTokens: 100, decodeMs, loadMs, provenance: "measured" },
    });

  it("is suspected after three slow answers running, and no forecast is made", () => {
    visible = false;
    for (let count = 0; count < 10; count += 1) warning.observer.onEnd?.(answer(2000));
    for (let count = 0; count < 2; count += 1) warning.observer.onEnd?.(answer(6000));
    expect(published).toEqual([]);
    warning.observer.onEnd?.(answer(6000));
    expect(last()?.text).toContain("Possible memory trouble");
    expect(warning.forecast()).toBeUndefined();
    for (let count = 0; count < 3; count += 1) warning.observer.onEnd?.(answer(2000));
    expect(last()?.endedAt).toBeDefined();
  });

  it("is suspected when a loaded model has to be loaded again and again", () => {
    visible = false;
    for (let count = 0; count < 4; count += 1) warning.observer.onEnd?.(answer(2000, 3000));
    expect(last()?.level).toBe("watch");
  });
});

describe("a drill", () => {
  it("is shown, labelled, and touches no record", async () => {
    expect(warning.drill.start(100)).toMatchObject({ speed: 100 });
    expect(warning.drill.start(100)).toBe(false);
    while (!published.some(({ level }) => level === "swapping")) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    warning.drill.stop();
    expect(published.every(({ drill }) => drill === true)).toBe(true);
    expect(published.find(({ level }) => level === "warn")?.text).toMatch(/each turn takes/);
    expect(last()?.endedAt).toBeDefined();
    expect([saved, told]).toEqual([[], []]);
    expect(warning.level()).toBe("ok");
  });
});
