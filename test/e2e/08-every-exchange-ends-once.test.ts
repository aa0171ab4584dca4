/** Promise 8. Every exchange ends once and is recorded once: completed, cancelled or failed. */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Exchange } from "../../src/types.ts";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const framed = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const TOKEN = framed('{"model":"m","response":"x","done":false}\n');
const DONE = framed(
  '{"model":"m","response":"","done":true,"done_reason":"stop","total_duration":3000000,"prompt_eval_count":4,"eval_count":1}\n',
);
const END = "0\r\n\r\n";
const REQUEST =
  'POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 26\r\n\r\n{"model":"m","prompt":"x"}';

type Behaviour = (connection: UpstreamConnection) => void;
const answer =
  (bytes: string, then: "stay" | "close" | "reset" = "stay"): Behaviour =>
  ({ socket }) => {
    socket.write(bytes);
    if (then === "close") {
      socket.end();
    } else if (then === "reset") {
      setTimeout(() => socket.resetAndDestroy(), 50);
    }
  };

const CASES: {
  name: string;
  behave: Behaviour;
  phase: string;
  code?: string;
  notices?: string[];
  clientSees: RegExp;
}[] = [
  {
    name: "a whole stream",
    behave: answer(HEAD + TOKEN + DONE + END),
    phase: "completed",
    clientSees: /0\r\n\r\n$/,
  },
  {
    name: "cut after the final event",
    behave: answer(HEAD + TOKEN + DONE, "close"),
    phase: "completed",
    clientSees: /\}\n\r\n$/,
  },
  {
    name: "a stream without its final event",
    behave: answer(HEAD + TOKEN + END),
    phase: "failed",
    code: "ended-early",
    notices: ["ended-early"],
    clientSees: /0\r\n\r\n$/,
  },
  {
    name: "an error line in mid-stream",
    behave: answer(
      HEAD +
        TOKEN +
        framed('{"error":"an error was encountered while running the model: unexpected EOF"}\n') +
        END,
    ),
    phase: "failed",
    code: "upstream-error",
    notices: ["upstream-error"],
    clientSees: /unexpected EOF/,
  },
  {
    name: "a 200 that carries an error",
    behave: answer(
      HEAD + framed('{"error":"server busy, please try again.  maximum pending requests exceeded"}\n') + END,
    ),
    phase: "failed",
    code: "error-in-answer",
    notices: ["upstream-error"],
    clientSees: /server busy/,
  },
  {
    name: "a 200 with an empty body",
    behave: answer(HEAD + END),
    phase: "failed",
    code: "empty-answer",
    clientSees: /0\r\n\r\n$/,
  },
  {
    name: "an upstream that dies in mid-stream",
    behave: answer(HEAD + TOKEN, "reset"),
    phase: "failed",
    code: "upstream-cut",
    clientSees: /\}\n\r\n$/,
  },
  {
    name: "an upstream that closes in mid-stream",
    behave: answer(HEAD + TOKEN, "close"),
    phase: "failed",
    code: "upstream-cut",
    clientSees: /\}\n\r\n$/,
  },
  {
    name: "an upstream that dies before it answers",
    behave: answer("", "reset"),
    phase: "failed",
    code: "upstream-cut",
    clientSees: /^HTTP\/1\.1 502 /,
  },
  {
    name: "an upstream that speaks no HTTP",
    behave: answer("SSH-2.0-hello\r\n"),
    phase: "failed",
    code: "upstream-cut",
    clientSees: /^HTTP\/1\.1 502 /,
  },
  {
    name: "an error status",
    behave: answer(
      'HTTP/1.1 404 Not Found\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 33\r\n\r\n{"error":"model \'m\' not found"}  ',
    ),
    phase: "failed",
    code: "http-404",
    clientSees: /not found/,
  },
];

async function run(behave: Behaviour): Promise<{ rows: Exchange[]; text: string }> {
  const upstream = await startRawUpstream(
    (connection) => void connection.until("}").then(() => behave(connection)),
  );
  const { port, store } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  await waitFor(async () => {
    const { exchanges } = await store.exchanges({ operation: "generate" });
    return exchanges.length > 0 && exchanges.every(({ state }) => "endedAt" in state);
  });
  // Long enough for a second ending to show, if there were one.
  await new Promise((resolve) => setTimeout(resolve, 100));
  client.socket.destroy();
  return {
    rows: (await store.exchanges({ operation: "generate" })).exchanges,
    text: client.received().toString(),
  };
}

describe("one row for", () => {
  it.each(CASES)("$name", async ({ behave, phase, code, notices, clientSees }) => {
    const { rows, text } = await run(behave);
    expect(rows).toHaveLength(1);
    const [row] = rows as [Exchange];
    expect(row.state.phase).toBe(phase);
    expect(row.state.phase === "failed" ? row.state.error.code : undefined).toBe(code);
    expect(row.notices.map(({ kind }) => kind)).toEqual(expect.arrayContaining(notices ?? []));
    expect(text).toMatch(clientSees);
  });
});

it("never ends a broken answer cleanly, on HTTP/1.0 neither", async () => {
  const upstream = await startRawUpstream(
    (connection) => void connection.until("}").then(() => answer(HEAD + TOKEN, "reset")(connection)),
  );
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST.replace("HTTP/1.1", "HTTP/1.0"));
  expect((await client.ended).how).toBe("reset");
});

it("ends a broken answer that had to wait behind an earlier one on its connection", async () => {
  const upstream = await startRawUpstream((connection) => {
    if (connection.received().includes("/first")) {
      connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfir");
    } else {
      answer(HEAD + TOKEN, "reset")(connection);
    }
  });
  const { app, port } = await startBehind(upstream);
  const client = await connect(port);
  client.send("GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await client.until("fir");
  client.send(REQUEST);
  await waitFor(() => upstream.connections.length === 2);
  await waitFor(() => app.snapshot().exchanges.length === 1);
  upstream.connections[0]?.socket.write("st");
  const { text } = await client.ended;
  expect(text.endsWith(`first${HEAD}${TOKEN}`)).toBe(true);
});

it("answers 502 in the asking dialect, naming the address and the fix", async () => {
  const upstream = await startRawUpstream(() => {});
  await upstream.close();
  const { url } = await startBehind({ url: upstream.url, close: async () => {} });
  const ask = async (target: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(url + target, { method: "POST", body: "{}" });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const native = await ask("/api/chat");
  expect(native.status).toBe(502);
  expect(native.body["error"]).toContain(upstream.url);
  expect(native.body["error"]).toContain("--upstream");
  expect((await ask("/v1/chat/completions")).body).toMatchObject({
    error: { message: expect.stringContaining(upstream.url), type: "api_error" },
  });
  expect((await ask("/v1/messages")).body).toMatchObject({
    type: "error",
    error: { message: expect.stringContaining(upstream.url) },
  });
});

it("retries a GET once on a pooled connection that was silently closed, and never a POST", async () => {
  const upstream = await startRawUpstream((connection) => {
    let served = 0;
    connection.onChunk(() => {
      served += 1;
      if (served === 1) {
        connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      } else {
        connection.socket.resetAndDestroy();
      }
    });
  });
  const { url } = await startBehind(upstream);
  for (let index = 0; index < 5; index += 1) {
    expect(await (await fetch(`${url}/api/tags?n=${index}`)).text()).toBe("ok");
  }
  const posts = () =>
    upstream.connections.filter((connection) => connection.received().includes("POST /api/chat")).length;
  await fetch(`${url}/api/chat`, { method: "POST", body: "{}" });
  await fetch(`${url}/api/chat`, { method: "POST", body: "{}" });
  expect(posts()).toBe(2);
});

it("marks what its own end cut off as failed, interrupted", async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "plimsoll-"));
  onCleanUp(() => rm(dataDir, { recursive: true }));
  const upstream = await startRawUpstream(
    (connection) => void connection.until("}").then(() => connection.socket.write(HEAD + TOKEN)),
  );
  const { app, port, store } = await startBehind(upstream, { dataDir });
  const client = await connect(port);
  client.send(REQUEST);
  await client.until('"x"');
  await app.close(0);
  const [row] = (await store.exchanges({ operation: "generate" })).exchanges;
  expect(row?.state).toMatchObject({ phase: "failed", error: { code: "interrupted" } });
  expect((await client.ended).text).not.toContain(END);
});

it("lets running answers finish when it is told to stop, and takes no new ones", async () => {
  let finish = (): void => {};
  const upstream = await startRawUpstream(
    (connection) =>
      void connection.until("}").then(() => {
        connection.socket.write(HEAD + TOKEN);
        finish = () => connection.socket.write(DONE + END);
      }),
  );
  const { app, port, store } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  await client.until('"x"');
  const closed = app.close(10_000);
  await expect(connect(port)).rejects.toThrow();
  finish();
  await client.until(END);
  await closed;
  const [row] = (await store.exchanges({ operation: "generate" })).exchanges;
  expect(row?.state.phase).toBe("completed");
});
