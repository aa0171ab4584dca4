import { beforeEach, describe, expect, it } from "vitest";
import { createLoads, type Loads } from "../../src/models/loads.ts";
import { createRequests, type Requests } from "../../src/models/requests.ts";
import type { Exchange, Load, MemorySample, RunnerProcess } from "../../src/types.ts";

let saved: Load[];
let requests: Requests;
let loads: Loads;
let ids: number;

beforeEach(() => {
  saved = [];
  requests = createRequests();
  ids = 0;
  loads = createLoads({
    newId: () => `load-${(ids += 1)}`,
    save: (load) => saved.push(structuredClone(load)),
    requests,
    blobs: blobsOf({ "known:latest": "known" }),
  });
});

function blobsOf(digests: Record<string, string>) {
  return {
    modelsOf: (blob: string) => Object.keys(digests).filter((name) => digests[name] === blob),
    blobOf: (model: string) => digests[model.includes(":") ? model : `${model}:latest`],
  };
}

function asked(exchange: Exchange, options: Record<string, number | boolean> = {}): Exchange {
  requests.read(exchange, { runnerOptions: options });
  return exchange;
}

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
    asked(exchange("early", 1000, "gemma3"));
    asked(exchange("late", 9000, "other"));
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
    const waiting = asked(exchange("e", 900, "gemma3"));
    loads.processesSeen([runner(7, 1000)], 1000);
    for (let second = 0; second < 5; second += 1) {
      loads.sampled(sample(1000 + second * 1000, 7, 100 * (second + 1)));
    }
    expect(saved.at(-1)?.measured).toBeUndefined();
    loads.modelsSeen([listed("gemma3:latest")], 6000);
    waiting.state = { phase: "completed", endedAt: 6000 };
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
    const causing = asked(exchange("e", 900, "gemma3"));
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
    loads.exchangeEnded({ ...causing, usage: { loadMs: 800, provenance: "measured" } }, 2300);
    expect(saved.at(-1)).toMatchObject({ endedAt: 1700, measured: { anonymousBytes: 400 } });
  });

  it("times the load by the exchange that caused it", () => {
    const causing = asked(exchange("e", 900, "gemma3"));
    loads.processesSeen([runner(7, 1000)], 1000);
    loads.exchangeEnded({ ...causing, usage: { loadMs: 700.4, provenance: "measured" } }, 2000);
    expect(saved.at(-1)?.endedAt).toBe(1600);
  });

  it("names the option that differed when a reload followed at once, and expiry after a pause", () => {
    const causing = asked(exchange("e", 900, "gemma3"));
    loads.processesSeen([runner(7, 1000, { contextLength: 8192 })], 1000);
    loads.processesSeen([runner(8, 2500, { contextLength: 32768 })], 2500);
    expect(saved.at(-1)).toMatchObject({
      cause: "options",
      differences: [{ option: "num_ctx", from: "8192", to: "32768" }],
    });
    causing.state = { phase: "completed", endedAt: 2800 };
    loads.modelsSeen([{ ...listed("gemma3:latest", 32768), expiresAt: 302_000 }], 2900);
    loads.processesSeen([], 303_000);
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
    differences: [{ option: "num_ctx", from: "4096", to: "2048" }],
  });
});

describe("with nothing but /api/ps", () => {
  it("opens a load when a model appears, from the request that waited for it, and closes it when it goes", () => {
    asked(exchange("e", 900, "GEMMA3"));
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

describe("an Ollama that was started again", () => {
  it("is known by the parent of its runners, and the option that changed with it is named", () => {
    const settings = { contextLength: 4096, totalContextLength: 4096, parallel: 1 };
    loads.processesSeen([{ ...runner(7, 1000, settings), blobDigest: "known", parentPid: 1 }], 1000);
    loads.processesSeen([], 5000);
    const later = { ...settings, kvCacheTypeK: "q8_0", kvCacheTypeV: "q8_0" };
    loads.processesSeen([{ ...runner(8, 9000, later), blobDigest: "known", parentPid: 2 }], 9000);
    expect(saved.at(-1)).toMatchObject({
      cause: "restarted",
      differences: [{ option: "OLLAMA_KV_CACHE_TYPE", from: "f16", to: "q8_0" }],
    });
  });

  it("is known by its silence, whichever is noticed first", () => {
    for (const silentAt of [900, 3000]) {
      saved = [];
      loads = createLoads({
        newId: () => "load",
        save: (load) => saved.push(structuredClone(load)),
        requests,
        blobs: { modelsOf: () => ["m:latest"], blobOf: () => undefined },
      });
      loads.processesSeen([runner(7, 100)], 200);
      if (silentAt < 1000) {
        loads.serverLost(silentAt);
      }
      loads.processesSeen([], 1200);
      if (silentAt > 1000) {
        loads.serverLost(silentAt);
      }
      loads.processesSeen([runner(8, 30_000)], 30_000);
      expect(saved.at(-1)?.cause).toBe("restarted");
    }
  });

  it("was only slow to answer when its runner goes on", () => {
    loads.processesSeen([{ ...runner(7, 1000), blobDigest: "known" }], 1000);
    loads.serverLost(2000);
    loads.modelsSeen([listed("known:latest", 4096)], 40_000);
    loads.processesSeen([{ ...runner(8, 41_000), blobDigest: "known" }], 41_000);
    loads.modelsSeen([listed("known:latest", 2048)], 42_000);
    expect(saved.at(-1)?.cause).toBe("options");
  });
});

it("what a load cost is what its runner before held: prompts it had kept, and the state of its chats", () => {
  const MIB = 2 ** 20;
  loads = createLoads({
    newId: () => `load-${(ids += 1)}`,
    save: (load) => {
      load.predicted ??= {
        kvCacheBytes: { hostBytes: 0, deviceBytes: 0 },
        recurrentStateBytes: { hostBytes: 0, deviceBytes: 0 },
        computeBytes: { hostBytes: 20 * MIB, deviceBytes: 0 },
        kvBytesPerToken: 32 * 1024,
        caches: [],
        fit: { verdict: "unknown" },
        assumptions: [],
      };
      saved.push(structuredClone(load));
    },
    requests,
    blobs: { modelsOf: () => ["m:latest"], blobOf: () => undefined },
  });
  const first = asked(exchange("a", 900, "m"), { num_ctx: 8192 });
  loads.processesSeen([runner(7, 1000, { contextLength: 8192 })], 1000);
  loads.sampled(sample(1900, 7, 300 * MIB));
  first.state = { phase: "completed", endedAt: 5000 };
  first.status = 200;
  first.contextTokensUsed = 1600;
  first.usage = { loadMs: 900, provenance: "measured" };
  loads.exchangeEnded(first, 5000);
  loads.sampled(sample(6000, 7, 420 * MIB));
  asked(exchange("b", 6900, "m"), { num_ctx: 4096 });
  loads.processesSeen([runner(8, 7000, { contextLength: 4096 })], 7000);
  // 120 MiB grown, of which 20 are buffers; 1600 tokens of 32 KiB.
  expect(saved.at(-1)).toMatchObject({ cause: "options", lostBytes: (100 + 50) * MIB });
});
describe("a runner that goes while nobody waits", () => {
  const known = (pid: number, startedAt: number) => ({ ...runner(pid, startedAt), blobDigest: "known" });
  const goes = (): void => {
    loads.processesSeen([known(7, 1000)], 1000);
    loads.modelsSeen([listed("known:latest")], 2000);
    loads.processesSeen([], 9000);
  };

  it("died when Ollama goes on listing it, and is asked about that once", () => {
    goes();
    expect(loads.awaitsList(9500)).toBe(false);
    expect(loads.awaitsList(10_000)).toBe(true);
    loads.modelsSeen([listed("known:latest")], 10_100);
    expect(loads.awaitsList(11_000)).toBe(false);
    loads.processesSeen([known(8, 20_000)], 20_000);
    expect(saved.at(-1)?.cause).toBe("crashed");
  });

  it("was stopped by someone whom nobody saw when Ollama lists it no more", () => {
    goes();
    loads.modelsSeen([], 10_100);
    loads.processesSeen([known(8, 20_000)], 20_000);
    expect(saved.at(-1)?.cause).toBe("unknown");
  });

  it("is not said to have died on the word of a list that may be of the next one", () => {
    goes();
    asked(exchange("next", 10_000, "known"));
    loads.modelsSeen([listed("known:latest")], 10_100);
    loads.processesSeen([known(8, 10_050)], 10_500);
    expect(saved.at(-1)?.cause).toBe("unknown");
    loads.processesSeen([], 20_000);
    loads.modelsSeen([listed("known:latest")], 60_000);
    loads.processesSeen([known(9, 60_000)], 60_500);
    expect(saved.at(-1)?.cause).toBe("unknown");
  });
});

describe("one blob under several names", () => {
  const names: Record<string, string> = {};
  const process = (pid: number, startedAt: number, contextLength: number): RunnerProcess => ({
    ...runner(pid, startedAt, { contextLength }),
    blobDigest: "shared",
  });

  beforeEach(() => {
    for (const name of Object.keys(names)) delete names[name];
    loads = createLoads({
      newId: () => `load-${(ids += 1)}`,
      save: (load) => saved.push(structuredClone(load)),
      requests,
      blobs: blobsOf(names),
    });
  });

  const answered = (asking: Exchange, at: number): void => {
    asking.status = 200;
    asking.state = { phase: "completed", endedAt: at, firstTokenAt: at };
    loads.exchangeEnded(asking, at);
  };

  it("is a reload with other options, as Ollama keeps one runner for it", () => {
    names["short:latest"] = "shared";
    const first = asked(exchange("a", 1000, "short"));
    loads.processesSeen([process(7, 1400, 2048)], 1500);
    loads.modelsSeen([listed("short:latest", 2048)], 2000);
    answered(first, 2500);
    // Nobody has heard of this name before.
    asked(exchange("b", 9000, "long"), { num_ctx: 8192 });
    loads.processesSeen([process(8, 9100, 8192)], 9500);
    expect(saved.at(-1)).toMatchObject({
      model: "long:latest",
      exchangeId: "b",
      cause: "options",
      differences: [{ option: "num_ctx", from: "2048", to: "8192" }],
    });
  });

  it("goes by the name of who asked, not by the one learned last", () => {
    Object.assign(names, { "short:latest": "shared", "long:latest": "shared" });
    asked(exchange("a", 1000, "short"));
    loads.processesSeen([process(7, 1400, 2048)], 1500);
    expect(saved.at(-1)).toMatchObject({ model: "short:latest", exchangeId: "a" });
  });

  it("takes the name that Ollama lists once it is known that the weights are the same", () => {
    names["short:latest"] = "shared";
    loads.processesSeen([process(7, 1400, 2048)], 1500);
    expect(loads.modelOfProcess(7)).toBe("short:latest");
    names["long:latest"] = "shared";
    loads.modelsSeen([listed("long:latest", 2048)], 2000);
    expect(loads.modelOfProcess(7)).toBe("long:latest");
  });

  it("has one context for all of its names", () => {
    Object.assign(names, { "short:latest": "shared", "long:latest": "shared" });
    asked(exchange("a", 1000, "short"));
    loads.processesSeen([process(7, 1400, 2048)], 1500);
    loads.modelsSeen([listed("short:latest", 2048)], 2000);
    expect(loads.contextLengthOf("long")).toBe(2048);
    expect(loads.modelOfProcess(7)).toBe("short:latest");
  });
});
