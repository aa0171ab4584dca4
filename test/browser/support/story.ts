import type {
  Advice,
  Conversation,
  Episode,
  Forecast,
  Load,
  MemoryEstimate,
  Remedy,
} from "../../../src/types.ts";
import { endedExchange } from "./scenes.ts";

/** Hand-written chats, loads, episodes and advice. Times are relative to the moment given. */

const gibibyte = 1024 ** 3;
const onHost = (gib: number) => ({ hostBytes: Math.round(gib * gibibyte), deviceBytes: 0 });

const remedy: Remedy = {
  id: "prompt-cache",
  text: "Give the prompt cache 2 GiB instead of 8.",
  savesBytes: 1.1 * gibibyte,
  commands: [
    { platform: "linux", text: "sudo systemctl edit ollama" },
    { platform: "any", text: "LLAMA_ARG_CACHE_RAM=2048" },
  ],
};

export function estimate(contextLength: number): MemoryEstimate {
  return {
    weightsBytes: onHost(2.4),
    kvCacheBytes: onHost((0.8 * contextLength) / 8192),
    recurrentStateBytes: onHost(0),
    computeBytes: onHost(0.3),
    outputBytes: 500_000,
    processBytes: 60_000_000,
    promptCacheLimitBytes: 8 * gibibyte,
    residentHostBytes: Math.round(3.3 * gibibyte),
    totalBytes: Math.round(3.6 * gibibyte),
    kvBytesPerToken: 100_000,
    caches: [],
    fit: { verdict: "fits", headroomBytes: 5 * gibibyte, largestContextThatFits: 49_152 },
    speed: {
      decodeTokensPerSecond: [
        { depth: 0, value: 24, low: 20, high: 28 },
        { depth: 8192, value: 18, low: 14, high: 23 },
      ],
      provenance: "predicted",
    },
    assumptions: [{ name: "parallel", value: "2 (from the runner's arguments)", provenance: "measured" }],
  };
}

export function loads(now: number): Load[] {
  return [
    {
      id: "load-2",
      startedAt: now - 300_000,
      endedAt: now - 299_000,
      model: "nomic-embed-text:latest",
      cause: "first",
      contextLength: 2048,
    },
    {
      id: "load-1",
      startedAt: now - 510_000,
      endedAt: now - 500_000,
      model: "gemma3:4b",
      cause: "options",
      differences: [{ option: "contextLength", from: "4096", to: "8192" }],
      client: "continue",
      previousClient: "open-webui",
      contextLength: 8192,
      parallel: 2,
      predicted: estimate(8192),
      measured: {
        pid: 4121,
        anonymousBytes: Math.round(2.2 * gibibyte),
        fileBytes: Math.round(0.9 * gibibyte),
        sharedBytes: 0,
        swappedBytes: 0,
      },
    },
  ];
}

/** A chat that grew over twelve turns, was cut once, and has room for three more; and a short one. */
export function conversations(now: number): Conversation[] {
  const turns = Array.from({ length: 12 }, (_, index) => {
    const turn = endedExchange(0, now - (12 - index) * 45_000);
    return {
      ...turn,
      id: `turn-${index + 1}`,
      turn: index + 1,
      conversationId: "chat-1",
      contextTokensUsed: 900 + index * 560,
      usage: {
        ...turn.usage,
        outputTokens: 214,
        decodeMs: 9000 + index * 240,
        provenance: "measured" as const,
      },
      notices: index === 8 ? [{ kind: "truncated" as const, tokensLost: 1204 }] : [],
    };
  });
  return [
    {
      id: "chat-1",
      model: "gemma3:4b",
      client: "open-webui",
      startedAt: now - 540_000,
      lastAt: now - 20_000,
      turnCount: 12,
      contextLength: 8192,
      contextTokensUsed: 7060,
      tokensPerTurn: { predicted: 560, low: 420, high: 700 },
      turnsLeft: { window: { predicted: 2, low: 1, high: 3 } },
      endsFirst: "window",
      cliff: {
        state: "ahead",
        atTurn: { predicted: 15 },
        prefillMs: { predicted: 48_000 },
        remedies: [remedy],
      },
      notices: [],
      turns,
    },
    {
      id: "chat-2",
      model: "gemma3:4b",
      client: "openai-js",
      startedAt: now - 60_000,
      lastAt: now - 30_000,
      turnCount: 1,
      contextLength: 8192,
      contextTokensUsed: 420,
      notices: [],
    },
  ];
}

export function forecast(now: number): Forecast {
  const points = [15, 30, 60, 90, 120].map((atSeconds) => ({
    atSeconds,
    headroomBytes: (3 - atSeconds / 30) * gibibyte,
    lowBytes: (3 - atSeconds / 20) * gibibyte,
    highBytes: (3 - atSeconds / 45) * gibibyte,
  }));
  const secondsToSwap = { predicted: 90, low: 60, high: 135 };
  return { madeAt: now, secondsToSwap, turnsToSwap: { predicted: 4 }, points, causes: [] };
}

export function openEpisode(now: number): Episode {
  return {
    id: "episode-open",
    level: "warn",
    startedAt: now - 12_000,
    text: "Swap in about 90 s: the prompt cache of gemma3:4b grows by 0.4 GiB a turn.",
    causes: [{ name: "prompt cache", bytes: 1.4 * gibibyte }],
    headroomBytes: 1.2 * gibibyte,
    forecast: { secondsToSwap: 90 },
    remedies: [remedy],
  };
}

export function pastEpisode(now: number): Episode {
  return {
    ...openEpisode(now),
    id: "episode-past",
    level: "swapping",
    startedAt: now - 3_600_000,
    endedAt: now - 3_400_000,
    swapAt: now - 3_559_000,
    outcome: "hit",
    leadSeconds: 41,
    lowestHeadroomBytes: -0.2 * gibibyte,
  };
}

export const advice: Advice[] = [
  {
    id: "advice-1",
    kind: "fight",
    text: "continue and open-webui ask for different contexts of gemma3:4b; each throws out the other's runner.",
    clients: ["continue", "open-webui"],
    savesMs: 42_000,
    remedies: [remedy],
  },
];
