import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { createAccess } from "../../../src/dashboard/access.ts";
import type { Live } from "../../../src/dashboard/live.ts";
import { createLive } from "../../../src/dashboard/live.ts";
import { createDashboard } from "../../../src/dashboard/routes.ts";
import { loadPage } from "../../../src/dashboard/static.ts";
import type { Exchange, Load, SamplePoint, Snapshot } from "../../../src/types.ts";

const none = { hostBytes: 0, deviceBytes: 0 };

/** What the page is shown; tests change it while the page is open. */
export interface Scene {
  snapshot(now: number): Snapshot;
  ended: Exchange[];
  samples: SamplePoint[];
  loads?: Load[];
  /** What other paths answer, by method and path, such as `GET /plimsoll/api/advice`. */
  answers?: Record<string, (body: unknown, url: URL) => unknown>;
  /** Exchanges that the page has cancelled. */
  cancelled?: string[];
  /** How far the server's clock is ahead of the browser's. */
  clockAheadMs?: number;
}

export interface PageServer {
  url: string;
  live: Live;
  close(): Promise<void>;
}

const builtPage = fileURLToPath(new URL("../../../dist/web", import.meta.url));

/** Serves the built page and the real routes over a scene held in memory. */
export async function startPageServer(
  scene: Scene,
  { port = 0, token }: { port?: number; token?: string } = {},
): Promise<PageServer> {
  const now = (): number => Date.now() + (scene.clockAheadMs ?? 0);
  const access = createAccess({ tokenRequired: token !== undefined, token, now });
  const log = { error: console.error };
  const snapshot = () => scene.snapshot(now());
  const live = createLive({ access, log, snapshot, monotonic: () => performance.now() });
  const app = createDashboard({
    access,
    log,
    snapshot,
    now,
    page: loadPage(builtPage),
    health: () => snapshot().health,
    probe: async () => snapshot().health,
    listExchanges: async ({ limit, before }) => {
      const from = before === undefined ? 0 : Number(before);
      const rows = scene.ended.slice(from, from + limit);
      return { rows, next: from + limit < scene.ended.length ? String(from + limit) : undefined };
    },
    findExchange: async (id) => scene.ended.find((exchange) => exchange.id === id),
    cancelExchange: (id) => {
      scene.cancelled?.push(id);
      return scene.cancelled !== undefined;
    },
    listSamples: async ({ from, to }) => {
      return scene.samples.filter((sample) => sample.takenAt >= from && sample.takenAt <= to);
    },
    listConversations: async () => ({ rows: [] }),
    findConversation: async () => undefined,
    listLoads: async () => ({ rows: scene.loads ?? [] }),
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
    listModels: () => snapshot().models,
    listAdvice: async () => [],
    alertTests: { run: async () => [], names: () => [] },
    metrics: async () => ({ contentType: "text/plain", text: "" }),
  });
  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const scripted = scene.answers?.[`${request.method} ${decodeURIComponent(url.pathname)}`];
    if (!scripted) return app.fetch(request);
    return Response.json(scripted(await request.json().catch(() => undefined), url));
  };
  const server = createServer(getRequestListener(answer, { overrideGlobalObjects: false }));
  server.on("upgrade", live.handleUpgrade);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/plimsoll/`,
    live,
    close: () => closeServer(server, live),
  };
}

async function closeServer(server: Server & { closeAllConnections?(): void }, live: Live): Promise<void> {
  live.close();
  server.closeAllConnections?.();
  await new Promise((resolve) => server.close(resolve));
}
