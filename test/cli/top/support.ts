import type { Conversation, Exchange, MemoryEstimate, MemorySample, Snapshot } from "../../../src/types.ts";

export const gibibyte = 1024 ** 3;

const split = (gib: number) => ({ hostBytes: Math.round(gib * gibibyte), deviceBytes: 0 });

export const estimate: MemoryEstimate = {
  weightsBytes: split(4),
  kvCacheBytes: split(1),
  recurrentStateBytes: split(0),
  computeBytes: split(0.25),
  outputBytes: 0,
  processBytes: 0,
  promptCacheLimitBytes: 8 * gibibyte,
  kvBytesPerToken: 1,
  caches: [],
  fit: { verdict: "fits" },
  assumptions: [],
};

export function aSample(overrides: Partial<MemorySample> = {}): MemorySample {
  return {
    takenAt: 10_000,
    totalBytes: 16 * gibibyte,
    availableBytes: 6 * gibibyte,
    headroomBytes: 5.5 * gibibyte,
    floorBytes: 0.5 * gibibyte,
    swapTotalBytes: 8 * gibibyte,
    swapUsedBytes: 0,
    gpus: [],
    runners: [
      {
        pid: 1,
        model: "llama3.1:8b",
        anonymousBytes: 6 * gibibyte,
        fileBytes: 0,
        sharedBytes: 0,
        swappedBytes: 0,
      },
    ],
    problems: [],
    ...overrides,
  };
}

export function anExchange(overrides: Partial<Exchange> = {}): Exchange {
  return {
    id: "exchange-1",
    startedAt: 9000,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "llama3.1:8b",
    client: { name: "open-webui" },
    requestBytes: 1,
    responseBytes: 1,
    chunkCount: 1,
    state: { phase: "completed", endedAt: 9900, firstTokenAt: 9500 },
    notices: [],
    ...overrides,
  };
}

export function aConversation(overrides: Partial<Conversation> = {}): Conversation {
  return {
    id: "chat-1",
    client: "open-webui",
    model: "llama3.1:8b",
    startedAt: 1,
    lastAt: 2,
    turnCount: 3,
    contextLength: 8192,
    contextTokensUsed: 4096,
    notices: [],
    ...overrides,
  };
}

export function aSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAt: 10_000,
    version: "1.0.0",
    verdict: { state: "idle", level: "ok", text: "" },
    sample: aSample(),
    models: [{ name: "llama3.1:8b", predicted: estimate, contextLength: 8192 }],
    exchanges: [],
    episodes: [],
    conversations: [aConversation()],
    health: {
      status: "ok",
      version: "1.0.0",
      upstream: { url: "http://127.0.0.1:11434", reachable: true },
      recorder: { state: "on", pending: 0, dropped: 0 },
      sampler: { state: "on", problems: [] },
    },
    ...overrides,
  };
}
