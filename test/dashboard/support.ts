import type { Hono } from "hono";
import type { AccessOptions, AccessRequest } from "../../src/dashboard/access.ts";
import { createAccess } from "../../src/dashboard/access.ts";
import type { DashboardParts } from "../../src/dashboard/parts.ts";
import { createDashboard } from "../../src/dashboard/routes.ts";
import { loadPage } from "../../src/dashboard/static.ts";
import type { Exchange, Health, MemorySample, Snapshot } from "../../src/types.ts";

const none = { hostBytes: 0, deviceBytes: 0 };

export const fixedNow = 1_767_225_600_000;

export const health: Health = {
  status: "ok",
  version: "1.2.3",
  upstream: { url: "http://127.0.0.1:11434", reachable: true, version: "0.33.0" },
  recorder: { state: "on", pending: 0, dropped: 0 },
  sampler: { state: "on", problems: [] },
};

export function anExchange(overrides: Partial<Exchange> = {}): Exchange {
  return {
    id: "exchange-1",
    startedAt: fixedNow - 3000,
    operation: "chat",
    dialect: "ollama",
    method: "POST",
    path: "/api/chat",
    model: "gemma3:4b",
    client: { name: "ollama-js" },
    requestBytes: 10,
    responseBytes: 20,
    chunkCount: 3,
    state: { phase: "completed", endedAt: fixedNow, firstTokenAt: fixedNow - 2000 },
    notices: [],
    ...overrides,
  };
}

export function aLiveExchange(overrides: Partial<Exchange> = {}): Exchange {
  return anExchange({ state: { phase: "streaming", firstTokenAt: fixedNow }, ...overrides });
}

export function aSample(overrides: Partial<MemorySample> = {}): MemorySample {
  return { takenAt: fixedNow, gpus: [], runners: [], problems: [], ...overrides };
}

export function aSnapshot(overrides: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAt: fixedNow,
    version: "1.2.3",
    verdict: { state: "idle", level: "ok", text: "" },
    models: [],
    exchanges: [],
    episodes: [],
    health,
    ...overrides,
  };
}

/** Access as on loopback without a token, unless said otherwise. */
export function anAccess(overrides: Partial<AccessOptions> = {}) {
  return createAccess({ tokenRequired: false, now: () => fixedNow, ...overrides });
}

export function aRequest(overrides: Partial<AccessRequest> = {}): AccessRequest {
  return {
    method: "GET",
    path: "/plimsoll/api/status",
    host: "127.0.0.1:11435",
    address: "10.0.0.7",
    ...overrides,
  };
}

/** The routes over parts that hold nothing, and everything that was logged. */
export function aDashboard(overrides: Partial<DashboardParts> = {}): { app: Hono; logged: string[] } {
  const logged: string[] = [];
  const app = createDashboard({
    access: anAccess(),
    page: loadPage("/nonexistent"),
    log: { error: (message) => logged.push(message) },
    now: () => fixedNow,
    snapshot: () => aSnapshot(),
    health: () => health,
    probe: async () => health,
    listExchanges: async () => ({ rows: [] }),
    findExchange: async () => undefined,
    cancelExchange: () => false,
    listSamples: async () => [],
    listLoads: async () => ({ rows: [] }),
    listConversations: async () => ({ rows: [] }),
    findConversation: async () => undefined,
    listAlerts: async () => ({ rows: [] }),
    startDrill: (speed) => ({ seconds: 10, speed }),
    forget: async () => ({}),
    predictions: {
      predict: async () => ({
        kvCacheBytes: none,
        recurrentStateBytes: none,
        computeBytes: none,
        kvBytesPerToken: 0,
        caches: [],
        fit: { verdict: "unknown" },
        assumptions: [],
      }),
      predictTable: async () => ({ cells: [] }),
      accuracy: () => ({ models: [] }),
      resetCalibration: () => {},
    },
    listModels: () => [],
    listAdvice: async () => [],
    alertTests: { run: async () => [], names: () => [] },
    metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "plimsoll_up 1\n" }),
    ...overrides,
  });
  return { app, logged };
}

/** The `error` of an answer of ours. */
export async function errorOf(response: Response): Promise<{ code: string; message: string }> {
  const body = (await response.json()) as { error: { code: string; message: string } };
  return body.error;
}
