import type {
  Conversation,
  Episode,
  Exchange,
  Load,
  LoadedModel,
  MemoryEstimate,
  MemorySample,
  RunnerSample,
  Snapshot,
} from "../../src/types.ts";
import { occupancyOf } from "../../web/occupancy.ts";

export const gibibyte = 1024 ** 3;

export function anExchange(overrides: Partial<Exchange> = {}): Exchange {
  return {
    id: "exchange-1",
    startedAt: 1000,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "gemma3:4b",
    client: { name: "ollama-js" },
    requestBytes: 10,
    responseBytes: 20,
    chunkCount: 3,
    state: { phase: "completed", endedAt: 4000 },
    notices: [],
    ...overrides,
  };
}

export function aLiveExchange(overrides: Partial<Exchange> = {}): Exchange {
  return anExchange({ state: { phase: "streaming", firstTokenAt: 2000 }, ...overrides });
}

export function aSample(overrides: Partial<MemorySample> = {}): MemorySample {
  return { takenAt: 10_000, gpus: [], runners: [], problems: [], ...overrides };
}

export function aRunner(overrides: Partial<RunnerSample> = {}): RunnerSample {
  return {
    pid: 7,
    model: "gemma3:4b",
    anonymousBytes: 0,
    fileBytes: 0,
    sharedBytes: 0,
    swappedBytes: 0,
    ...overrides,
  };
}

export function aModel(overrides: Partial<LoadedModel> = {}): LoadedModel {
  return { name: "gemma3:4b", loadId: "load-1", ...overrides };
}

export function aSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAt: 10_000,
    version: "1.2.3",
    verdict: { state: "idle", level: "ok", text: "" },
    models: [],
    exchanges: [],
    episodes: [],
    health: {
      status: "ok",
      version: "1.2.3",
      upstream: { url: "http://127.0.0.1:11434", reachable: true },
      recorder: { state: "on", pending: 0, dropped: 0 },
      sampler: { state: "on", problems: [] },
    },
    ...overrides,
  };
}

export const noContext = { loads: [] as Load[], occupancy: occupancyOf([]) };

/** Small round figures: 1000 of weights, 200 of cells, 80 of computing, a prompt cache of 500. */
export function anEstimate(overrides: Partial<MemoryEstimate> = {}): MemoryEstimate {
  const none = { hostBytes: 0, deviceBytes: 0 };
  return {
    weightsBytes: { ...none, hostBytes: 1000 },
    kvCacheBytes: { ...none, hostBytes: 200 },
    recurrentStateBytes: none,
    computeBytes: { ...none, hostBytes: 50 },
    outputBytes: 10,
    processBytes: 20,
    promptCacheLimitBytes: 500,
    residentHostBytes: 1230,
    kvBytesPerToken: 2,
    caches: [],
    fit: { verdict: "fits" },
    assumptions: [],
    ...overrides,
  };
}

export function aLoad(overrides: Partial<Load> = {}): Load {
  return { id: "load-1", startedAt: 1000, model: "gemma3:4b", cause: "first", ...overrides };
}

export function aConversation(overrides: Partial<Conversation> = {}): Conversation {
  return {
    id: "chat-1",
    model: "gemma3:4b",
    client: "open-webui",
    startedAt: 1000,
    lastAt: 2000,
    turnCount: 2,
    contextLength: 8192,
    contextTokensUsed: 4000,
    notices: [],
    ...overrides,
  };
}

export function anEpisode(overrides: Partial<Episode> = {}): Episode {
  return { id: "episode-1", level: "warn", startedAt: 1000, causes: [], remedies: [], ...overrides };
}
