/**
 * Every whole HTTP/1.1 exchange recorded with real Ollamas is played back by an upstream and driven through Plimsoll:
 * the request must arrive as recorded, the answer come out as recorded, and the right usage be noted, however the
 * answer's bytes are cut on the way.
 */
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classify } from "../../src/ollama/endpoints.ts";
import { hostIsAllowedByOllama } from "../../src/ollama/hostCheck.ts";
import type { Exchange } from "../../src/types.ts";
import { expectedAnswer } from "../ollama/expectedAnswer.ts";
import { capturedChunks, capturedHeader, loadCaptures, type Capture } from "../support/captures.ts";
import { recordingStore, type RecordingStore } from "../support/recordingStore.ts";
import { startRawUpstream, type RawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

const CUTS = [1, 2, 3, 7, 64, 1000];
const SMALL_BYTES = 4096;
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "upgrade",
  "proxy-connection",
]);

const captures = loadCaptures().filter(
  ({ exchange }) => exchange.request.httpVersion === "1.1" && exchange.request.bodyOmittedBytes === undefined,
);

/** Requests that Plimsoll answers in Ollama's place: a foreign or missing Host. */
function answeredHere({ exchange: { request } }: Capture): boolean {
  const authority = /^http:\/\/([^/]+)/.exec(request.target)?.[1];
  const host = authority ?? capturedHeader(request, "host");
  const preflight = request.method === "OPTIONS" && capturedHeader(request, "origin") !== undefined;
  return (
    host === undefined || !(preflight || hostIsAllowedByOllama(host, { hostname: "", localAddresses: [] }))
  );
}

let plays: Map<string, { capture: Capture; cut: number }>;
let received: Map<string, string>;
let upstream: RawUpstream;
let store: RecordingStore;
let port: number;
let agent: http.Agent;

beforeAll(async () => {
  plays = new Map();
  received = new Map();
  upstream = await startRawUpstream(playBack);
  store = recordingStore();
  ({ port } = await startBehind(upstream, { parts: { store } }));
  agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
});

afterAll(async () => {
  agent.destroy();
  await cleanUp();
});

/** Each request says in one extra field which recording to play and how to cut it. */
function playBack(connection: UpstreamConnection): void {
  let seen = 0;
  connection.onChunk(() => {
    const text = connection.received().subarray(seen).toString("latin1");
    const key = /\r\nX-Replay: (\S+)\r\n/.exec(text)?.[1];
    const play = key === undefined ? undefined : plays.get(key);
    if (key === undefined || play === undefined || !requestIsWhole(text)) {
      return;
    }
    seen = connection.received().length;
    received.set(key, text);
    void writeInPieces(connection.socket, answerBytes(play.capture), play.cut);
  });
}

function requestIsWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2))?.[1];
  if (/\r\ntransfer-encoding: chunked/i.test(text.slice(0, end + 2))) {
    return text.endsWith("0\r\n\r\n");
  }
  return end !== -1 && text.length - end - 4 >= Number(length ?? 0);
}

function answerBytes({ exchange: { response } }: Capture): Buffer {
  const head = [
    `HTTP/1.1 ${response.status} ${response.statusMessage}`,
    ...response.headers.map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n");
  const chunks = capturedChunks(response);
  const body =
    response.framing === "chunked"
      ? [...chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, "\r\n"]), "0\r\n\r\n"]
      : chunks;
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), ...body.map((part) => Buffer.from(part))]);
}

async function writeInPieces(socket: net.Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    if (!socket.write(bytes.subarray(at, at + size))) {
      await once(socket, "drain");
    }
    // A turn of the loop between pieces lets each leave as a packet of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Seen {
  status: number;
  statusMessage: string;
  headers: [string, string][];
  body: Buffer;
}

let runs = 0;

async function run(
  capture: Capture,
  cut: number,
): Promise<{ seen: Seen; exchange: Exchange | undefined; sent: string }> {
  const { request } = capture.exchange;
  runs += 1;
  const key = `${runs}`;
  plays.set(key, { capture, cut });
  const outgoing = http.request({
    port,
    agent,
    method: request.method,
    path: request.target,
    headers: [...request.headers.flat(), "X-Replay", key],
    setDefaultHeaders: false,
  });
  const chunks = capturedChunks(request);
  chunks.forEach((chunk) => outgoing.write(chunk));
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [http.IncomingMessage];
  const body: Buffer[] = [];
  for await (const chunk of response) {
    body.push(chunk as Buffer);
  }
  const headers: [string, string][] = [];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    headers.push([response.rawHeaders[at] ?? "", response.rawHeaders[at + 1] ?? ""]);
  }
  const here = answeredHere(capture);
  const exchange = here ? undefined : await store.nextEnded();
  plays.delete(key);
  const sent = received.get(key) ?? "";
  received.delete(key);
  return {
    seen: {
      status: response.statusCode ?? 0,
      statusMessage: response.statusMessage ?? "",
      headers: endToEnd(headers),
      body: Buffer.concat(body),
    },
    exchange,
    sent,
  };
}

function endToEnd(headers: [string, string][]): [string, string][] {
  return headers.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
}

function expectSame(capture: Capture, seen: Seen): void {
  const { response } = capture.exchange;
  const wanted: Seen = {
    status: response.status,
    statusMessage: response.statusMessage,
    headers: endToEnd(response.headers),
    body: Buffer.concat(capturedChunks(response)),
  };
  if (answeredHere(capture)) {
    const dateless = (headers: [string, string][]) => headers.filter(([name]) => name !== "Date");
    wanted.headers = dateless(wanted.headers);
    seen.headers = dateless(seen.headers);
  }
  expect(seen).toEqual(wanted);
}

/** Without what is derived from durations: Ollama reports none of it. */
function asReported(usage: Exchange["usage"]): Exchange["usage"] {
  if (usage === undefined) {
    return undefined;
  }
  const { cachedInputTokens: _cached, queueMs: _queue, ...reported } = usage;
  return reported;
}

function expectRecorded(capture: Capture, exchange: Exchange | undefined): void {
  if (exchange === undefined) {
    return;
  }
  const { method, target } = capture.exchange.request;
  const path = target.replace(/^http:\/\/[^/]+/, "").replace(/\?.*$/, "");
  const endpoint = classify(method, path);
  const { state, usage, status } = exchange;
  if (endpoint.operation === "other") {
    expect({ status, phase: state.phase, usage }).toEqual({
      status: capture.exchange.response.status,
      phase: "completed",
      usage: undefined,
    });
    return;
  }
  const expected = expectedAnswer(capture.exchange, endpoint.dialect);
  expect({
    status,
    code: state.phase === "failed" ? state.error.code : undefined,
    phase: state.phase,
    usage: asReported(usage),
  }).toEqual({
    status: capture.exchange.response.status,
    code: expected.errorCode,
    phase: expected.errorCode === undefined ? "completed" : "failed",
    usage: expected.usage,
  });
}

function expectRequest(capture: Capture, sent: string): void {
  if (answeredHere(capture)) {
    expect(sent).toBe("");
    return;
  }
  const { request } = capture.exchange;
  const [requestLine, ...lines] = sent.slice(0, sent.indexOf("\r\n\r\n")).split("\r\n");
  expect(requestLine).toBe(`${request.method} ${request.target.replace(/^http:\/\/[^/]+/, "")} HTTP/1.1`);
  const named = new Set(
    request.headers
      .filter(([name]) => name.toLowerCase() === "connection")
      .flatMap(([, value]) => value.split(",").map((option) => option.trim().toLowerCase())),
  );
  const wanted = request.headers
    .filter(([name]) => name.toLowerCase() === "transfer-encoding" || !HOP_BY_HOP.has(name.toLowerCase()))
    .filter(([name]) => !named.has(name.toLowerCase()))
    // Our own origin is no news to Ollama, which sees another Host: it is dropped.
    .filter(([name, value]) => name !== "Origin" || value !== `http://${capturedHeader(request, "host")}`)
    .map(([name, value]) =>
      name.toLowerCase() === "host"
        ? `${name}: 127.0.0.1:${upstream.port}`
        : value === ""
          ? `${name}: `
          : `${name}: ${value}`,
    );
  expect(lines.filter((line) => !line.startsWith("X-Replay"))).toEqual(wanted);
  expect(
    sent.endsWith(
      request.framing === "chunked" ? "0\r\n\r\n" : Buffer.concat(capturedChunks(request)).toString("latin1"),
    ),
  ).toBe(true);
}

const title = ({ version, scenario, index, exchange }: Capture): string =>
  `${version} ${scenario} #${index} ${exchange.request.method} ${exchange.request.target}`;

describe("each recorded exchange", () => {
  it.each(captures.map((capture) => [title(capture), capture] as const))(
    "%s",
    async (_title, capture) => {
      for (const cut of [
        Number.MAX_SAFE_INTEGER,
        ...CUTS.filter((size) => size > 1 || sizeOf(capture) < 400_000),
      ]) {
        const { seen, exchange, sent } = await run(capture, cut);
        expectSame(capture, seen);
        expectRecorded(capture, exchange);
        expectRequest(capture, sent);
      }
    },
    120_000,
  );
});

it("comes out whole at every cut up to 100 bytes and at each prime to 512, for each distinct answer under 4 KB", async () => {
  const distinct = new Map<string, Capture>();
  for (const capture of captures) {
    if (sizeOf(capture) < SMALL_BYTES && !answeredHere(capture)) {
      const { request, response } = capture.exchange;
      distinct.set(`${request.method} ${request.target} ${shapeOf(response)}`, capture);
    }
  }
  expect(distinct.size).toBeGreaterThan(100);
  for (const capture of distinct.values()) {
    for (const cut of smallCuts.filter((size) => size <= sizeOf(capture))) {
      const { seen, exchange } = await run(capture, cut);
      expectSame(capture, seen);
      expectRecorded(capture, exchange);
    }
  }
}, 600_000);

/** Of the larger sizes the primes will do: they keep step with no chunk's length. */
const smallCuts = Array.from({ length: 512 }, (_, index) => index + 1).filter(
  (size) => size <= 100 || isPrime(size),
);

function isPrime(number: number): boolean {
  for (let factor = 2; factor * factor <= number; factor += 1) if (number % factor === 0) return false;
  return true;
}

function sizeOf(capture: Capture): number {
  return answerBytes(capture).length;
}

/** Answers that differ only in their figures and dates cut alike. */
function shapeOf(response: Capture["exchange"]["response"]): string {
  const text = Buffer.concat(capturedChunks(response)).toString("latin1");
  return `${response.status} ${response.framing} ${text
    .replace(/\d+/g, "0")
    .replace(/"(content|response)":"[^"]*"/g, '"$1":""')
    .slice(0, 500)}`;
}
