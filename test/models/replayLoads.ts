/** Plays recorded requests and lists of loaded models into the loads, with or without sight of the runners. */
import { readFileSync } from "node:fs";
import { createLoads } from "../../src/models/loads.ts";
import { createRequests } from "../../src/models/requests.ts";
import type { Exchange, Load, RunnerProcess } from "../../src/types.ts";

interface RecordedRequest {
  startedAt: number;
  endedAt: number;
  firstTokenAt?: number;
  operation: Exchange["operation"];
  dialect: Exchange["dialect"];
  path: string;
  model: string;
  status: number;
  options?: Record<string, number | boolean>;
  keepAliveSeconds?: number;
  loadMs?: number;
  contextTokensUsed?: number;
  error?: { code: string; message: string };
  cancelled?: boolean;
}

interface RecordedModel {
  name: string;
  contextLength: number;
  sizeBytes: number;
  expiresAt?: number;
}

export interface Scenario {
  loadedBefore: RecordedModel[];
  requests: RecordedRequest[];
  lists: { at: number; models: RecordedModel[] }[];
}

export function readScenarios(version: string): Record<string, Scenario> {
  const file = new URL(`../fixtures/reloads/${version}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, Scenario>;
}

/** A runner as the system would have shown it. */
export interface SeenRunner {
  model: string;
  from: number;
  to: number;
  settings: RunnerProcess["settings"];
}

const SCAN_MS = 250;

/** Answers the loads at the end, in the order they began. */
export function replay(scenario: Scenario, seen?: readonly SeenRunner[]): Load[] {
  const saved = new Map<string, Load>();
  const requests = createRequests();
  let ids = 0;
  const loads = createLoads({
    newId: () => `load-${(ids += 1)}`,
    save: (load) => saved.set(load.id, structuredClone(load)),
    requests,
    blobs: { modelsOf: (digest) => [digest], blobOf: (model) => model },
  });
  const events: { at: number; order: number; run(): void }[] = [];
  const add = (at: number, order: number, run: () => void): void => void events.push({ at, order, run });

  add(-500, 0, () =>
    loads.modelsSeen(
      scenario.loadedBefore.map((model) => ({ ...model, sizeBytes: undefined })),
      -500,
    ),
  );
  for (const list of scenario.lists) {
    add(list.at, 2, () => loads.modelsSeen(list.models, list.at));
  }
  for (const [index, request] of scenario.requests.entries()) {
    const exchange = exchangeOf(`exchange-${index}`, request);
    add(request.startedAt, 0, () =>
      requests.read(exchange, {
        runnerOptions: request.options,
        keepAliveSeconds: request.keepAliveSeconds,
      }),
    );
    if (request.firstTokenAt !== undefined) {
      const firstTokenAt = request.firstTokenAt;
      add(firstTokenAt, 1, () => (exchange.state = { phase: "streaming", firstTokenAt }));
    }
    add(request.endedAt, 1, () => {
      end(exchange, request);
      loads.exchangeEnded(exchange, request.endedAt);
    });
  }
  if (seen !== undefined) {
    const last = Math.max(...events.map(({ at }) => at)) + 2 * SCAN_MS;
    for (let at = -SCAN_MS; at <= last; at += SCAN_MS) {
      add(at, 3, () => loads.processesSeen(processesAt(seen, at), at));
    }
  }
  for (const { run } of events.toSorted((left, right) => left.at - right.at || left.order - right.order)) {
    run();
  }
  return [...saved.values()];
}

function processesAt(seen: readonly SeenRunner[], at: number): RunnerProcess[] {
  return seen.flatMap(({ model, from, to, settings }, index) =>
    from <= at && at < to
      ? [{ pid: 100 + index, startTicks: index, startedAt: from, blobDigest: model, argv: [], settings }]
      : [],
  );
}

function exchangeOf(id: string, request: RecordedRequest): Exchange {
  const { startedAt, operation, dialect, path, model, options } = request;
  const contextLength = options?.["num_ctx"];
  return {
    id,
    startedAt,
    operation,
    dialect,
    path,
    model,
    method: "POST",
    client: { name: "lab" },
    ...(typeof contextLength === "number" && { requestedContextLength: contextLength }),
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: [],
  };
}

function end(exchange: Exchange, request: RecordedRequest): void {
  const { endedAt, firstTokenAt, error, cancelled, loadMs, contextTokensUsed, status } = request;
  const times = { endedAt, ...(firstTokenAt !== undefined && { firstTokenAt }) };
  exchange.status = status;
  exchange.state =
    error !== undefined
      ? { phase: "failed", ...times, error }
      : { phase: cancelled === true ? "cancelled" : "completed", ...times };
  if (loadMs !== undefined) {
    exchange.usage = { loadMs, provenance: "measured" };
  }
  if (contextTokensUsed !== undefined) {
    exchange.contextTokensUsed = contextTokensUsed;
  }
}
