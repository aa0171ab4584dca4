import { beforeEach, describe, expect, it } from "vitest";
import { createLoads, type Loads } from "../../src/models/loads.ts";
import type { Exchange, Load, MemorySample, RunnerProcess } from "../../src/types.ts";

let saved: Load[];
let live: Exchange[];
let loads: Loads;
let ids: number;

beforeEach(() => {
  saved = [];
  live = [];
  ids = 0;
  loads = createLoads({
    newId: () => `load-${(ids += 1)}`,
    save: (load) => saved.push(structuredClone(load)),
    live: () => live,
    modelOfBlob: (digest) => (digest === "known" ? "known:latest" : undefined),
  });
});

function exchange(id: string, startedAt: number, model: string): Exchange {
  return {
    id,
    startedAt,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model,
    client: {},
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
}

function runner(pid: number, startedAt: number, settings: RunnerProcess["settings"] = {}): RunnerProcess {
  return { pid, startTicks: pid * 100, startedAt, blobDigest: "abcdef0123456789", argv: [], settings };
}

function sample(takenAt: number, pid: number, anonymousBytes: number): MemorySample {
  const reading = { pid, anonymousBytes, fileBytes: 0, sharedBytes: 0, swappedBytes: 0 };
  return { takenAt, gpus: [], runners: [reading], problems: [] };
}

const listed = (name: string, contextLength = 4096) => ({
  name,
  digest: "manifest",
  sizeBytes: 500,
  deviceBytes: 0,
  contextLength,
});

describe("with visible runners", () => {
  it("blames the request that was waiting when the runner started, and takes its name", () => {
    live = [exchange("early", 1000, "gemma3"), exchange("late", 9000, "other")];
    loads.processesSeen([runner(7, 1400, { contextLength: 8192, parallel: 2 })], 1500);
    expect(saved.at(-1)).toMatchObject({
      model: "gemma3:latest",
      exchangeId: "early",
      cause: "first",
      startedAt: 1400,
      contextLength: 8192,
      parallel: 2,
    });
    expect(loads.contextLengthOf("gemma3:latest")).toBe(8192);
    expect(loads.modelOfProcess(7)).toBe("gemma3:latest");
  });

  it("knows a model by its blob when that is known", () => {
    loads.processesSeen([{ ...runner(7, 1000), blobDigest: "known" }], 1000);
    expect(saved.at(-1)?.model).toBe("known:latest");
  });

  it("keeps what is learned of the runner's environment a moment later", () => {
    const process = runner(7, 1000);
    loads.processesSeen([process], 1000);
    loads.processesSeen([process], 1250);
    expect(saved).toHaveLength(1);
    process.settings.environment = { OLLAMA_KV_CACHE_TYPE: "q8_0" };
    loads.processesSeen([process], 1500);
    loads.processesSeen([process], 1750);
    expect(saved).toHaveLength(2);
    expect(saved.at(-1)?.settings?.environment).toEqual({ OLLAMA_KV_CACHE_TYPE: "q8_0" });
  });

  it("takes a reused process id for another runner", () => {
    loads.processesSeen([runner(7, 1000)], 1000);
    loads.processesSeen([{ ...runner(7, 5000), startTicks: 999 }], 5000);
    expect(saved.map(({ id, unloadedAt }) => [id, unloadedAt])).toEqual([
      ["load-1", undefined],
      ["load-1", 5000],
      ["load-2", undefined],
    ]);
  });

  it("measures memory only once it is steady after the load, and puts the claim beside it", () => {
    live = [exchange("e", 900, "gemma3")];
    loads.processesSeen([runner(7, 1000)], 1000);
    for (let second = 0; second < 5; second += 1) {
      loads.sampled(sample(1000 + second * 1000, 7, 100 * (second + 1)));
    }
    expect(saved.at(-1)?.measured).toBeUndefined();
    loads.modelsSeen([listed("gemma3:latest")], 6000);
    live = [];
    for (let second = 6; second < 12; second += 1) {
      loads.sampled(sample(second * 1000, 7, 5000 + second));
    }
    expect(saved.at(-1)).toMatchObject({
      claimedBytes: 500,
      endedAt: 6000,
      measured: { anonymousBytes: 5009 },
    });
    expect(loads.loadedModels()[0]).toMatchObject({ claimedBytes: 500, measured: { anonymousBytes: 5011 } });
  });

  it("measures what was there when the load ended, not what the first prompts added", () => {
    const causing = exchange("e", 900, "gemma3");
    live = [causing];
    loads.processesSeen([runner(7, 1000)], 1000);
    for (const [at, bytes] of [
      [1250, 100],
      [1500, 300],
      [1750, 400],
      [2000, 900],
      [2250, 1500],
    ] as const) {
      loads.sampled(sample(at, 7, bytes));
    }
    loads.exchangeEnded({ ...causing, usage: { loadMs: 800, provenance: "measured" } });
    expect(saved.at(-1)).toMatchObject({ endedAt: 1700, measured: { anonymousBytes: 400 } });
  });

  it("times the load by the exchange that caused it", () => {
    const causing = exchange("e", 900, "gemma3");
    live = [causing];
    loads.processesSeen([runner(7, 1000)], 1000);
    loads.exchangeEnded({ ...causing, usage: { loadMs: 700.4, provenance: "measured" } });
    expect(saved.at(-1)?.endedAt).toBe(1600);
  });

  it("names the option that differed when a reload followed at once, and expiry after a pause", () => {
    live = [exchange("e", 900, "gemma3")];
    loads.processesSeen([runner(7, 1000, { contextLength: 8192 })], 1000);
    loads.processesSeen([runner(8, 2500, { contextLength: 32768 })], 2500);
    expect(saved.at(-1)).toMatchObject({
      cause: "options",
      differences: [{ option: "contextLength", from: "8192", to: "32768" }],
    });
    loads.processesSeen([], 3000);
    loads.processesSeen([runner(9, 400_000, { contextLength: 32768 })], 400_000);
    expect(saved.at(-1)?.cause).toBe("expired");
  });
});

it("finds the difference once Ollama lists it, where the runner's arguments say nothing", () => {
  loads.processesSeen([{ ...runner(7, 1000), blobDigest: "known" }], 1000);
  loads.modelsSeen([listed("known:latest", 4096)], 2000);
  loads.processesSeen([{ ...runner(8, 3000), blobDigest: "known" }], 3000);
  expect(saved.at(-1)?.cause).toBe("unknown");
  loads.modelsSeen([listed("known:latest", 2048)], 4000);
  expect(saved.at(-1)).toMatchObject({
    cause: "options",
    differences: [{ option: "contextLength", from: "4096", to: "2048" }],
  });
});

describe("with nothing but /api/ps", () => {
  it("opens a load when a model appears, from the request that waited for it, and closes it when it goes", () => {
    live = [exchange("e", 900, "GEMMA3")];
    loads.modelsSeen([listed("gemma3:latest")], 5000);
    expect(saved).toEqual([
      expect.objectContaining({ startedAt: 900, endedAt: 5000, exchangeId: "e", claimedBytes: 500 }),
    ]);
    loads.modelsSeen([], 9000);
    expect(saved.at(-1)?.unloadedAt).toBe(9000);
  });

  it("takes another context for another load", () => {
    loads.modelsSeen([listed("m:latest", 4096)], 1000);
    loads.modelsSeen([listed("m:latest", 8192)], 3000);
    expect(saved.map(({ id }) => id)).toContain("load-2");
    expect(loads.contextLengthOf("m")).toBe(8192);
  });
});
