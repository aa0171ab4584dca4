/** Plain rows for tests in which only one or two fields matter. */
import type { Episode, Exchange, Load, MemorySample } from "../../../src/types.ts";

export const startOfTest = Date.UTC(2026, 10, 21, 12);

let lastNumber = 0;

export function anExchange(fields: Partial<Exchange> = {}): Exchange {
  lastNumber += 1;
  return {
    id: `exchange-${lastNumber}`,
    startedAt: startOfTest,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    client: {},
    requestBytes: 10,
    responseBytes: 20,
    chunkCount: 2,
    state: { phase: "completed", endedAt: startOfTest + 100 },
    notices: [],
    ...fields,
  };
}

export function aSample(takenAt: number, fields: Partial<MemorySample> = {}): MemorySample {
  return { takenAt, gpus: [], runners: [], problems: [], ...fields };
}

export function aLoad(fields: Partial<Load> = {}): Load {
  lastNumber += 1;
  return { id: `load-${lastNumber}`, startedAt: startOfTest, model: "tiny", cause: "first", ...fields };
}

export function anEpisode(fields: Partial<Episode> = {}): Episode {
  lastNumber += 1;
  return {
    id: `episode-${lastNumber}`,
    level: "warn",
    startedAt: startOfTest,
    causes: [],
    remedies: [],
    ...fields,
  };
}
