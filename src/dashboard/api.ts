import type { Context, Hono } from "hono";
import { bodyJson } from "./bodyText.ts";
import { defaultLimit, format, knownCursor, page, table } from "./pages.ts";
import { BadParameter, integer, moment, oneOf, readQuery, text } from "./parameters.ts";
import type { Operation } from "../types.ts";
import type { DashboardParts, ForgetRequest } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { problemResponse } from "./problem.ts";
import { alertColumns, exchangeColumns, loadColumns, sampleColumns } from "./tables.ts";

const forgetBytesAllowed = 4096;
const defaultPoints = 600;
const maxPoints = 10_000;
const defaultSpanMs = 10 * 60_000;

const phases = ["waiting", "streaming", "completed", "cancelled", "failed"] as const;
const operations = [
  "chat",
  "generate",
  "embed",
  "load",
  "unload",
  "pull",
  "push",
  "create",
  "transcribe",
  "other",
] as const satisfies readonly Operation[];
const exchangesQuery = {
  ...page,
  model: text(),
  conversation: text(),
  phase: oneOf(phases),
  client: text(),
  operation: oneOf(operations),
  without: oneOf(["other"] as const),
};
const samplesQuery = { from: moment(), to: moment(), points: integer(2, maxPoints), format };

/** Adds health and the reading and cancelling of records. */
export function addApi(app: Hono, parts: DashboardParts): void {
  app.get("/plimsoll/healthz", (c) => c.json(parts.health()));
  app.get("/plimsoll/readyz", async (c) => {
    const health = await parts.probe();
    return c.json(health, health.upstream.reachable ? 200 : 503);
  });
  app.get("/plimsoll/api/status", (c) => c.json(parts.snapshot()));
  app.get("/plimsoll/api/models", (c) => c.json({ models: parts.listModels() }));
  app.get("/plimsoll/api/advice", async (c) => c.json({ advice: await parts.listAdvice() }));
  app.get("/plimsoll/api/samples", (c) => samples(c, parts));
  app.get("/plimsoll/api/exchanges", async (c) => {
    const { format, limit = defaultLimit, ...filters } = readQuery(c.req.url, exchangesQuery);
    const result = knownCursor(await parts.listExchanges({ limit, ...filters }), filters.before);
    return table(c, { name: "exchanges", columns: exchangeColumns, format, ...result });
  });
  app.get("/plimsoll/api/loads", async (c) => {
    const { format, limit = defaultLimit, before } = readQuery(c.req.url, page);
    const result = knownCursor(await parts.listLoads({ limit, before }), before);
    return table(c, { name: "loads", columns: loadColumns, format, ...result });
  });
  app.get("/plimsoll/api/alerts", async (c) => {
    const { format, limit = defaultLimit, before } = readQuery(c.req.url, page);
    const result = knownCursor(await parts.listAlerts({ limit, before }), before);
    return table(c, { name: "alerts", columns: alertColumns, format, ...result });
  });
  app.get("/plimsoll/api/exchanges/:id", async (c) => {
    const id = c.req.param("id");
    const exchange = await parts.findExchange(id);
    return exchange ? c.json(exchange) : problemResponse(noExchange(id));
  });
  app.post("/plimsoll/api/forget", async (c) => {
    const what = readForget(await bodyJson(c, forgetBytesAllowed));
    return what === undefined ? problemResponse(nothingNamed) : c.json(await parts.forget(what));
  });
  app.post("/plimsoll/api/exchanges/:id/cancel", async (c) => {
    const id = c.req.param("id");
    if (parts.cancelExchange(id)) return c.json({ cancelled: true, id });
    return problemResponse((await parts.findExchange(id)) ? alreadyEnded(id) : noExchange(id));
  });
}

/** What a body asks to forget: exactly one of a moment, a conversation, or everything. */
function readForget(body: unknown): ForgetRequest | undefined {
  const what = typeof body === "object" && body !== null ? Object.entries(body) : [];
  const [only, ...more] = what;
  if (only === undefined || more.length > 0) return undefined;
  const [name, value] = only as [string, unknown];
  if (name === "all" && value === true) return { all: true };
  if (name === "conversationId" && typeof value === "string") return { conversationId: value };
  return name === "beforeAt" && typeof value === "number" && Number.isSafeInteger(value)
    ? { beforeAt: value }
    : undefined;
}

async function samples(context: Context, parts: DashboardParts): Promise<Response> {
  const query = readQuery(context.req.url, samplesQuery);
  const { to = parts.now(), points = defaultPoints, format } = query;
  const { from = Math.max(0, to - defaultSpanMs) } = query;
  if (from > to) {
    throw new BadParameter(`Parameter "from" is "${from}"; it must not be later than "to", which is ${to}.`);
  }
  const rows = await parts.listSamples({ from, to, points });
  return table(context, { name: "samples", columns: sampleColumns, format, rows });
}

const nothingNamed: Problem = {
  status: 400,
  code: "bad-parameter",
  message: 'Send one of {"beforeAt": <epoch ms>}, {"conversationId": "<id>"} or {"all": true}.',
};

function noExchange(id: string): Problem {
  return { status: 404, code: "not-found", message: `There is no exchange "${id.slice(0, 80)}".` };
}

function alreadyEnded(id: string): Problem {
  return {
    status: 409,
    code: "already-ended",
    message: `Exchange "${id.slice(0, 80)}" has ended; there is nothing to cancel.`,
  };
}
