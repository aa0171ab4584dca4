/** One request from the socket: recorded, matched with the script, checked, sent to its handler, watched for leaving. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { checkAccess } from "./access.ts";
import { parseObject, readBody, type Body } from "./body.ts";
import type { Call, Engine } from "./job.ts";
import { createReply } from "./reply.ts";
import { allowedMethods, findHandler } from "./routes.ts";
import { createScriptMatcher, type Override, type Script } from "./script.ts";

export interface RecordedRequest {
  method: string;
  /** As it stood in the request line. */
  target: string;
  rawHeaders: readonly string[];
  bodyBytes: number;
  /** Only where bodies are kept. */
  body?: Buffer;
  startedAt: number;
  /** `cut` by the script, `left` by the client. */
  outcome: "open" | "answered" | "left" | "cut";
}

export interface ConnectionHandler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  requests(): RecordedRequest[];
  setScript(script: Script): void;
  close(): void;
}

const MOST_RECORDED = 1000;

export function createConnectionHandler(
  engine: Engine,
  options: { script: Script; keepBodies: boolean },
): ConnectionHandler {
  const recorded: RecordedRequest[] = [];
  const open = new Set<AbortController>();
  let script = options.script;
  let match = createScriptMatcher(script);

  const serve = async (exchange: Exchange): Promise<void> => {
    const { request, response, record, signal } = exchange;
    const { path, method } = exchange;
    const body = createBodyReader(exchange, options.keepBodies);
    const needsModel = script.some((rule) => rule.when?.model !== undefined);
    const model = needsModel ? modelOf(await body.read()) : undefined;
    const override = match({ method, path, ...(model === undefined ? {} : { model }) });
    if (cutAtOnce(response, override, record)) return;
    if (override.answer !== undefined && override.answer.early !== true) await body.skip();
    const { host, origin } = request.headers;
    const access = checkAccess({ method, host, origin, allow: allowedMethods(path) });
    const reply = createReply({
      response,
      override,
      signal,
      commonHeaders: "headers" in access ? access.headers : [],
      now: engine.clock.now,
      onCut: () => {
        record.outcome = "cut";
      },
    });
    const call: Call = {
      request,
      method,
      path,
      body: body.read,
      skipBody: body.skip,
      reply,
      override,
      signal,
    };
    if (override.answer !== undefined) await reply.whole(override.answer);
    else if ("refused" in access) await reply.whole(access.refused);
    else await findHandler(method, path)(engine, call);
  };

  return {
    handle: (request, response) => {
      if (missesHost(request)) {
        refuseWithoutHost(response);
        return;
      }
      const leaving = new AbortController();
      open.add(leaving);
      const record = startRecord(request, engine.clock.now());
      recorded.push(record);
      if (recorded.length > MOST_RECORDED) recorded.shift();
      response.sendDate = false;
      response.removeHeader("Connection");
      response.on("close", () => {
        open.delete(leaving);
        if (record.outcome === "open") record.outcome = response.writableFinished ? "answered" : "left";
        leaving.abort();
      });
      const path = pathOf(request.url ?? "/");
      const method = request.method ?? "GET";
      serve({ request, response, record, path, method, signal: leaving.signal }).catch((error: unknown) => {
        // A client that left has ended its own request; anything else is a fault of the simulation: it must not hang.
        if (!leaving.signal.aborted) response.destroy(error as Error);
      });
    },
    requests: () => recorded.map((record) => ({ ...record })),
    setScript: (next) => {
      script = next;
      match = createScriptMatcher(next);
    },
    close: () => {
      for (const controller of open) controller.abort();
    },
  };
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  record: RecordedRequest;
  path: string;
  method: string;
  signal: AbortSignal;
}

/** The body is asked for only when somebody wants it: until then no `100 Continue` is sent. */
function createBodyReader(
  exchange: Exchange,
  keep: boolean,
): { read(): Promise<Body>; skip(): Promise<void> } {
  const { request, response, record } = exchange;
  let reading: Promise<Body> | undefined;
  const invite = (): void => {
    if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  };
  const count = (chunk: Buffer): void => {
    record.bodyBytes += chunk.length;
  };
  const read = (): Promise<Body> => {
    if (reading !== undefined) return reading;
    invite();
    reading = readBody(request, count).then((body) => {
      if (keep && "bytes" in body) record.body = body.bytes;
      return body;
    });
    return reading;
  };
  return {
    read,
    skip: async () => {
      if (keep || reading !== undefined) {
        await read();
        return;
      }
      invite();
      for await (const chunk of request as AsyncIterable<Buffer>) count(chunk);
    },
  };
}

function startRecord(request: IncomingMessage, startedAt: number): RecordedRequest {
  return {
    method: request.method ?? "GET",
    target: request.url ?? "/",
    rawHeaders: [...request.rawHeaders],
    bodyBytes: 0,
    startedAt,
    outcome: "open",
  };
}

function cutAtOnce(response: ServerResponse, override: Override, record: RecordedRequest): boolean {
  if (override.die !== "connect") return false;
  record.outcome = "cut";
  if (override.reset === true) response.socket?.resetAndDestroy();
  else response.socket?.destroySoon();
  return true;
}

function modelOf(body: Body): string | undefined {
  if ("tooLarge" in body) return undefined;
  const parsed = parseObject(body.bytes.toString("utf8"));
  const named = "value" in parsed ? (parsed.value.model ?? parsed.value.name) : undefined;
  return typeof named === "string" ? named : undefined;
}

/** Of an absolute-form target too. */
function pathOf(target: string): string {
  const local = /^https?:\/\/[^/]*(.*)$/iu.exec(target)?.[1] ?? target;
  return local.split("?", 1)[0] ?? "/";
}

function missesHost(request: IncomingMessage): boolean {
  return request.httpVersion === "1.1" && request.headers.host === undefined;
}

/** Go writes this by hand, without a date or a length, and closes. */
function refuseWithoutHost(response: ServerResponse): void {
  const text = "400 Bad Request: missing required Host header";
  response.socket?.end(
    `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${text}`,
  );
}
