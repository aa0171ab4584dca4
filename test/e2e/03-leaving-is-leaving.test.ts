/** Promise 3. When the client goes away, in any phase, the upstream connection is closed at once. */
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const LINE = '{"model":"m","response":"x","done":false}\n';
const STREAMING = `${HEAD}${LINE.length.toString(16)}\r\n${LINE}\r\n`;
const REQUEST = 'POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{"model":"m"}';

/** Generous for a busy machine, far below any time limit that could be at work instead. */
const AT_ONCE_MS = 1500;

async function leaveWhile(phase: {
  request: string;
  /** What the upstream waits for and then answers before the client leaves. */
  upstreamUntil: string;
  answer?: string;
  how: "fin" | "reset";
}) {
  const upstream = await startRawUpstream((connection) => {
    void connection
      .until(phase.upstreamUntil)
      .then(() => phase.answer && connection.socket.write(phase.answer));
  });
  const started = await startBehind(upstream);
  const client = await connect(started.port);
  client.send(phase.request);
  await waitFor(() => upstream.connections[0]?.received().includes(phase.upstreamUntil));
  if (phase.answer !== undefined) {
    await client.until(LINE);
  }
  const leftAt = performance.now();
  if (phase.how === "fin") {
    client.socket.end();
  } else {
    client.socket.resetAndDestroy();
  }
  await (upstream.connections[0] as UpstreamConnection).closed;
  return { ...started, closedAfterMs: performance.now() - leftAt };
}

describe.each(["fin", "reset"] as const)("the client leaves by %s", (how) => {
  it.each([
    ["waiting for the first byte", { request: REQUEST, upstreamUntil: "}" }],
    ["streaming", { request: REQUEST, upstreamUntil: "}", answer: STREAMING }],
    [
      "uploading",
      {
        request: "POST /api/blobs/sha256:x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
        upstreamUntil: "half",
      },
    ],
    ["a GET", { request: "GET /api/tags HTTP/1.1\r\nHost: localhost\r\n\r\n", upstreamUntil: "\r\n\r\n" }],
  ])("while %s", async (_name, phase) => {
    const { closedAfterMs, store } = await leaveWhile({ ...phase, how });
    expect(closedAfterMs).toBeLessThan(AT_ONCE_MS);
    await waitFor(async () => (await store.exchanges({})).exchanges[0]?.state.phase === "cancelled");
  });
});

it("records a client that hangs up right after [DONE] as completed", async () => {
  const events =
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n' +
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' +
    "data: [DONE]\n\n";
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() =>
      // The terminating chunk never comes: the client is faster.
      connection.socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n${events.length.toString(16)}\r\n${events}\r\n`,
      ),
    );
  });
  const { port, store } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST.replace("/api/generate", "/v1/chat/completions"));
  await client.until("[DONE]");
  client.socket.destroy();
  await waitFor(async () => (await store.exchanges({})).exchanges[0]?.state.phase === "completed");
});

it("closes the upstream when the user cancels from the page", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.write(STREAMING));
  });
  const { port, url, store } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  await client.until(LINE);
  const status = (await (await fetch(`${url}/plimsoll/api/status`)).json()) as {
    exchanges: { id: string }[];
  };
  const id = status.exchanges[0]?.id;
  const cancelled = await fetch(`${url}/plimsoll/api/exchanges/${id}/cancel`, { method: "POST" });
  expect(cancelled.status).toBe(200);
  await (upstream.connections[0] as UpstreamConnection).closed;
  expect((await client.ended).text).not.toContain("0\r\n\r\n");
  await waitFor(async () => (await store.exchanges({})).exchanges[0]?.state.phase === "cancelled");
});
