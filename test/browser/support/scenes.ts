import type {
  Exchange,
  Health,
  LoadedModel,
  RunnerSample,
  SamplePoint,
  Snapshot,
} from "../../../src/types.ts";

/** Hand-written states of the page. Times are relative to the moment given. */

const gibibyte = 1024 ** 3;

export const healthy: Health = {
  status: "ok",
  version: "0.1.0",
  upstream: { url: "http://127.0.0.1:11434", reachable: true, version: "0.33.0" },
  recorder: { state: "on", pending: 0, dropped: 0 },
  sampler: { state: "on", problems: [] },
};

/** Ten minutes of a 16 GiB machine on which two models were loaded and a chat grows. */
export function samplesUntil(now: number): SamplePoint[] {
  const start = Math.floor(now / 1000) * 1000 - 600_000;
  return Array.from({ length: 600 }, (_, index) => sampleAt(start + index * 1000, index));
}

export function sampleAt(takenAt: number, index: number): SamplePoint {
  const total = 16 * gibibyte;
  const floor = 0.48 * gibibyte;
  const other = (5.2 + 0.25 * Math.sin(index / 40) + 0.05 * Math.sin(index / 7)) * gibibyte;
  const gemma =
    index < 90 ? 0 : Math.min(4.4, ((index - 90) / 12) * 3.1) + Math.max(0, (index - 240) / 360) * 0.9;
  const nomic = index < 300 ? 0 : 0.32;
  const runners = [
    ...(index > 90 ? [runner(4121, "gemma3:4b", gemma * 0.72, gemma * 0.28)] : []),
    ...(index > 300 ? [runner(4388, "nomic-embed-text:latest", nomic, 0)] : []),
  ];
  const anonymous = runners.reduce((sum, runner) => sum + runner.anonymousBytes, 0);
  const mapped = runners.reduce((sum, runner) => sum + runner.fileBytes, 0);
  const available = total - other - anonymous;
  return {
    takenAt,
    totalBytes: total,
    availableBytes: Math.round(available),
    headroomBytes: Math.round(available - mapped - floor),
    floorBytes: Math.round(floor),
    anonymousBytes: Math.round(other + anonymous),
    mappedBytes: mapped,
    swapTotalBytes: 4 * gibibyte,
    swapUsedBytes: Math.round(0.3 * gibibyte + (index > 480 ? 0.1 * gibibyte : 0)),
    swapOutBytesPerSecond: index > 470 && index < 485 ? 3 * 1024 ** 2 : 0,
    swapInBytesPerSecond: 0,
    gpus: [],
    runners,
    problems: [],
  };
}

function runner(pid: number, model: string, anonymousGib: number, fileGib: number): RunnerSample {
  const anonymousBytes = Math.round(anonymousGib * gibibyte);
  const fileBytes = Math.round(fileGib * gibibyte);
  return { pid, model, anonymousBytes, fileBytes, sharedBytes: 0, swappedBytes: 0 };
}

function models(now: number): LoadedModel[] {
  const latest = sampleAt(now, 599);
  return [
    {
      name: "gemma3:4b",
      loadId: "load-1",
      contextLength: 8192,
      expiresAt: now + 252_000,
      claimedBytes: 3.7 * gibibyte,
      settings: { contextLength: 8192, parallel: 2, kvCacheTypeK: "f16", kvCacheTypeV: "f16" },
      measured: latest.runners[0],
    },
    {
      name: "nomic-embed-text:latest",
      loadId: "load-2",
      contextLength: 2048,
      expiresAt: now + 12_000,
      claimedBytes: 0.3 * gibibyte,
      measured: latest.runners[1],
    },
  ];
}

const clients = ["open-webui", "openai-js", "ollama-python", "continue"];

/** The n-th exchange of the record, newest first. */
export function endedExchange(number: number, now: number): Exchange {
  const startedAt = now - 20_000 - number * 37_000;
  const input = 7400 - number * 180;
  const base: Exchange = {
    id: `ended-${number}`,
    startedAt,
    operation: number % 7 === 5 ? "embed" : "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: number % 7 === 5 ? "nomic-embed-text:latest" : "gemma3:4b",
    client: { name: clients[number % clients.length], address: "127.0.0.1" },
    status: 200,
    contextLength: 8192,
    contextTokensUsed: input + 214,
    requestBytes: 24_000,
    responseBytes: 9000,
    chunkCount: 215,
    state: { phase: "completed", endedAt: startedAt + 11_400, firstTokenAt: startedAt + 820 + number * 13 },
    usage: {
      inputTokens: input,
      outputTokens: 214,
      prefillMs: 640 + number * 12,
      decodeMs: 9700,
      totalMs: 11_400,
      doneReason: "stop",
      provenance: "measured",
    },
    prediction: {
      contextTokensUsed: { predicted: input + 200, actual: input + 214, errorRatio: -14 / (input + 214) },
      firstTokenMs: { predicted: 700 + number * 13, low: 600, high: 900, actual: 820 + number * 13 },
      decodeTokensPerSecond: { predicted: 24, actual: 22.1 },
      runnerBytes: { predicted: 5.1 * gibibyte, actual: 5.3 * gibibyte },
    },
    notices: [],
  };
  if (number === 2)
    return { ...base, state: { phase: "cancelled", endedAt: startedAt + 3000 }, usage: undefined };
  if (number === 3) {
    const error = { code: "upstream-cut", message: "Ollama closed the connection before the answer ended." };
    return { ...base, state: { phase: "failed", endedAt: startedAt + 3000, error }, usage: undefined };
  }
  if (number === 1) {
    return {
      ...base,
      notices: [
        { kind: "truncated", tokensLost: 1204, message: "1,204 tokens of the prompt were cut." },
        { kind: "reloaded" },
      ],
    };
  }
  return base;
}

/** A chat that is being answered. */
export function decodingExchange(now: number): Exchange {
  return {
    id: "live-1",
    startedAt: now - 12_000,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "gemma3:4b",
    client: { name: "open-webui" },
    contextLength: 8192,
    contextTokensUsed: 7602,
    requestBytes: 24_000,
    responseBytes: 5000,
    chunkCount: 128,
    contentChunkCount: 128,
    state: { phase: "streaming", stage: "decoding", firstTokenAt: now - 6000 },
    prediction: {
      inputTokens: { predicted: 7470 },
      decodeTokensPerSecond: { predicted: 19, low: 16, high: 23 },
    },
    notices: [],
  };
}

/** A chat whose prompt is being read. */
function prefillExchange(now: number): Exchange {
  return {
    id: "live-2",
    startedAt: now - 4000,
    operation: "chat",
    dialect: "openai",
    method: "POST",
    path: "/v1/chat/completions",
    model: "gemma3:4b",
    client: { name: "openai-js" },
    requestBytes: 24_000,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting", stage: "prefill" },
    prediction: { prefillMs: { predicted: 9000 } },
    notices: [],
  };
}

/** A busy moment. */
export function busySnapshot(now: number): Snapshot {
  const sample = sampleAt(now, 599);
  return {
    takenAt: now,
    version: "0.1.0",
    verdict: { state: "decoding", level: "ok", text: "" },
    headroomBytes: sample.headroomBytes,
    sample,
    models: models(now),
    exchanges: [decodingExchange(now), prefillExchange(now)],
    episodes: [],
    health: healthy,
  };
}

/** Just started, nothing has come through. */
export function emptySnapshot(now: number): Snapshot {
  return {
    ...busySnapshot(now),
    verdict: { state: "idle", level: "ok", text: "" },
    models: [],
    exchanges: [],
  };
}
