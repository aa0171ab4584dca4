/** Ollama refused, reset, half-open, slow, or dead at each phase: the client hears it at once, the row says how. */
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind, startPlimsoll, type Started } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { chat, DONE_LINE, END, framed, HEAD, startStreamer, TOKEN_LINE } from "./support/chat.ts";

afterEach(cleanUp);

const BODY = '{"model":"m","prompt":"x"}';
const REQUEST = `POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

async function onlyRow({ store }: Started) {
  await waitFor(async () => {
    const [row] = (await store.exchanges({ operation: "generate" })).exchanges;
    return row !== undefined && "endedAt" in row.state;
  });
  const { exchanges } = await store.exchanges({ operation: "generate" });
  expect(exchanges).toHaveLength(1);
  return exchanges[0];
}

/** What had been sent when it died. */
const PHASES: [string, string, RegExp][] = [
  ["before any byte", "", /^HTTP\/1\.1 502 /],
  ["in the status line", "HTTP/1.1 20", /^HTTP\/1\.1 502 /],
  ["in the headers", "HTTP/1.1 200 OK\r\nContent-Type: app", /^HTTP\/1\.1 502 /],
  ["after the headers", HEAD, /^HTTP\/1\.1 200 OK[^]*\r\n\r\n$/],
  ["in the first chunk", HEAD + framed(TOKEN_LINE).slice(0, 20), /^HTTP\/1\.1 200 OK/],
  ["in the middle", HEAD + framed(TOKEN_LINE).repeat(2), /"response":"x"/],
];

describe.each(["fin", "reset"] as const)("Ollama dies by %s", (how) => {
  it.each(PHASES)(
    "%s: failed, upstream-cut, never ended as if whole (promise 8)",
    async (_phase, sent, seen) => {
      const upstream = await startRawUpstream((connection) => {
        void connection.until("}").then(() => {
          connection.socket.write(sent);
          setTimeout(
            () => (how === "fin" ? connection.socket.end() : connection.socket.resetAndDestroy()),
            30,
          );
        });
      });
      const started = await startBehind(upstream);
      const client = await connect(started.port);
      client.send(REQUEST);
      const row = await onlyRow(started);
      expect(row?.state).toMatchObject({ phase: "failed", error: { code: "upstream-cut" } });
      const text = client.received().toString("latin1");
      expect(text).toMatch(seen);
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
      // The next one is served: nothing of the dead connection is left over.
      upstream.connections.length = 0;
    },
  );

  it("before the last chunk: completed, since its last event was seen (promise 8)", async () => {
    const upstream = await startRawUpstream((connection) => {
      void connection.until("}").then(() => {
        connection.socket.write(HEAD + framed(TOKEN_LINE) + framed(DONE_LINE));
        setTimeout(() => (how === "fin" ? connection.socket.end() : connection.socket.resetAndDestroy()), 30);
      });
    });
    const started = await startBehind(upstream);
    const client = await connect(started.port);
    client.send(REQUEST);
    expect((await onlyRow(started))?.state.phase).toBe("completed");
    const { text } = await client.ended;
    expect(text).toContain('"done":true');
    expect(text).not.toContain(END);
  });
});

it("refused: 502 within a second, naming the address and the fix, and the next chat works (promise 5)", async () => {
  const port = await freePort();
  const started = await startPlimsoll(`http://127.0.0.1:${port}`);
  const begun = performance.now();
  const answer = await fetch(`${started.url}/api/generate`, { method: "POST", body: BODY });
  expect(performance.now() - begun).toBeLessThan(1000);
  expect(answer.status).toBe(502);
  expect(await answer.json()).toEqual({ error: expect.stringMatching(`127.0.0.1:${port}.*--upstream`) });
  expect((await onlyRow(started))?.state).toMatchObject({ phase: "failed" });
});

it("reset while the request is sent: 502, failed, no second try of a prompt (promise 8)", async () => {
  let connections = 0;
  const upstream = await startRawUpstream((connection) => {
    connections += 1;
    connection.socket.resetAndDestroy();
  });
  const started = await startBehind(upstream);
  const answer = await fetch(`${started.url}/api/generate`, { method: "POST", body: BODY });
  expect(answer.status).toBe(502);
  await answer.text();
  expect((await onlyRow(started))?.state).toMatchObject({ phase: "failed", error: { code: "upstream-cut" } });
  expect(connections).toBe(1);
});

it("half-open, it takes the request and never answers: we wait, and leave when the client does (promises 3 and 4)", async () => {
  const upstream = await startRawUpstream(() => {});
  const started = await startBehind(upstream);
  const client = await connect(started.port);
  client.send(REQUEST);
  await waitFor(() => upstream.connections.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(client.received()).toHaveLength(0);
  client.socket.destroy();
  await (upstream.connections[0] as UpstreamConnection).closed;
  expect((await onlyRow(started))?.state.phase).toBe("cancelled");
});

it("half-closed after its answer began, then silent: what came is passed on, and the end is not made up (promise 1)", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.end(HEAD + framed(TOKEN_LINE)));
  });
  const started = await startBehind(upstream);
  const client = await connect(started.port);
  client.send(REQUEST);
  const { text } = await client.ended;
  expect(text).toContain(TOKEN_LINE);
  expect(text).not.toContain(END);
});

it("slow, a byte at a time: every byte arrives, in order, as sent (promises 1 and 2)", async () => {
  const answer = HEAD + framed(TOKEN_LINE) + framed(DONE_LINE) + END;
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(async () => {
      for (const byte of Buffer.from(answer)) {
        connection.socket.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  });
  const started = await startBehind(upstream);
  const client = await connect(started.port);
  client.send(REQUEST);
  await client.until(END);
  const body = await fetch(`${started.url}/api/generate`, { method: "POST", body: BODY });
  expect(await body.text()).toBe(TOKEN_LINE + DONE_LINE);
});

it("gone and back: chats work again as soon as it does, without a restart (promise 5)", async () => {
  const first = await startStreamer();
  const started = await startPlimsoll(first.url);
  await chat(started.url);
  await first.close();
  expect((await fetch(`${started.url}/api/generate`, { method: "POST", body: BODY })).status).toBe(502);
  const again = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(HEAD + framed(TOKEN_LINE) + framed(DONE_LINE) + END));
  });
  again.listen(first.port, "127.0.0.1");
  onCleanUp(async () => again.close());
  await waitFor(async () => {
    const answer = await fetch(`${started.url}/api/generate`, { method: "POST", body: BODY });
    return answer.status === 200 && (await answer.text()) === TOKEN_LINE + DONE_LINE;
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
