/** Clients that are slow, half-closed, gone at each phase, idle by the thousand, or that never read. */
import { once } from "node:events";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connect, type RawClient } from "../support/rawClient.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { chat, chats, END, framed, HEAD, health, startStreamer, TOKEN_LINE } from "./support/chat.ts";

afterEach(cleanUp);

const MIB = 1024 * 1024;
const ABORTS = Number(process.env["PLIMSOLL_FAULT_ABORTS"] ?? 400);
const EXCHANGES = Number(process.env["PLIMSOLL_FAULT_EXCHANGES"] ?? 1000);
const BODY = '{"model":"m","prompt":"x"}';
const REQUEST = `POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** How far the client had come, and what it waits for before it leaves. */
const PHASES: {
  name: string;
  send: string;
  when: (client: RawClient) => Promise<unknown>;
  recorded: boolean;
}[] = [
  { name: "in the request line", send: "POST /api/gen", when: () => pause(50), recorded: false },
  {
    name: "in the headers",
    send: "POST /api/generate HTTP/1.1\r\nHost: loc",
    when: () => pause(50),
    recorded: false,
  },
  { name: "in the body", send: REQUEST.slice(0, -5), when: () => pause(50), recorded: true },
  { name: "right after the request", send: REQUEST, when: () => pause(0), recorded: true },
  {
    name: "after the headers of the answer",
    send: REQUEST,
    when: (client) => client.until("\r\n\r\n"),
    recorded: true,
  },
  {
    name: "after the first token",
    send: REQUEST,
    when: (client) => client.until(TOKEN_LINE),
    recorded: true,
  },
];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(["fin", "reset"] as const)("a client gone by %s", (how) => {
  it.each(PHASES)(
    "$name: Ollama is told at once, one row, nothing left open (promises 3 and 8)",
    async ({ send, when, recorded }) => {
      const upstream = await startRawUpstream((connection) => {
        void connection.until("}").then(async () => {
          connection.socket.write(HEAD);
          await pause(60);
          for (let token = 0; token < 1000 && connection.socket.writable; token += 1) {
            connection.socket.write(framed(TOKEN_LINE));
            await pause(20);
          }
        });
      });
      const { port, store, app } = await startBehind(upstream);
      const client = await connect(port);
      client.send(send);
      await when(client);
      if (how === "fin") client.socket.end();
      else client.socket.resetAndDestroy();
      await waitFor(async () => (await openConnections(app.server)) === 0);
      await Promise.all(upstream.connections.map(({ closed }) => closed));
      const { exchanges } = await store.exchanges({ operation: "generate" });
      expect(exchanges.map(({ state }) => state.phase)).toEqual(recorded ? ["cancelled"] : []);
      expect(app.snapshot().exchanges).toEqual([]);
    },
  );
});

function openConnections(server: net.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

it("a slow client, a byte of the request at a time: it is served like any other (promise 4)", async () => {
  const { port } = await startBehind(await startStreamer());
  const client = await connect(port);
  for (const byte of Buffer.from(REQUEST)) {
    client.send(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await client.until(END)).toContain('"done":true');
});

it("a client that reads slowly: its upstream slows, and every byte arrives (promises 1 and 7)", async () => {
  const total = 48 * MIB;
  const block = framed(`${"x".repeat(65_535)}\n`);
  let sent = 0;
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(async () => {
      connection.socket.write(HEAD);
      for (; sent < total; sent += block.length) {
        if (!connection.socket.write(block)) await once(connection.socket, "drain");
      }
      connection.socket.write(END);
    });
  });
  const { port } = await startBehind(upstream);
  const socket = net.connect(port, "127.0.0.1");
  socket.write(REQUEST);
  let received = 0;
  let furthestAhead = 0;
  let tail = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    if (Math.floor(received / MIB) !== Math.floor((received + chunk.length) / MIB)) await pause(5);
    received += chunk.length;
    furthestAhead = Math.max(furthestAhead, sent - received);
    tail = (tail + chunk.subarray(-16).toString("latin1")).slice(-16);
    if (tail.endsWith(END)) break;
  }
  expect(received).toBeGreaterThan(total);
  // What lies between the two is in the buffers of two loopback connections, and no more.
  expect(furthestAhead).toBeLessThan(24 * MIB);
});

it(`${ABORTS} aborts: as many rows, no connection, no memory left behind (promises 3, 7 and 8)`, async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.write(HEAD + framed(TOKEN_LINE)));
  });
  const { port, store, app } = await startBehind(upstream);
  const abort = async (index: number): Promise<void> => {
    const client = await connect(port);
    client.send(REQUEST);
    // Half of them before the answer, half in the middle of it.
    if (index % 2 === 0) await client.until(TOKEN_LINE);
    else await waitFor(() => app.snapshot().exchanges.length > 0, { everyMs: 1 });
    client.socket.resetAndDestroy();
    await client.ended;
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < ABORTS; index = next++) await abort(index);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  await waitFor(async () => (await openConnections(app.server)) === 0);
  await waitFor(() => upstream.connections.every(({ socket }) => socket.destroyed));
  expect(app.snapshot().exchanges).toEqual([]);
  const rows = await countRows(store);
  expect(rows).toEqual(new Map([["cancelled", ABORTS]]));
}, 120_000);

async function countRows(
  store: Awaited<ReturnType<typeof startBehind>>["store"],
): Promise<Map<string, number>> {
  await store.flush(10_000);
  const phases = new Map<string, number>();
  let before: string | undefined;
  do {
    const page = await store.exchanges({
      operation: "generate",
      limit: 1000,
      ...(before !== undefined && { before }),
    });
    for (const { state } of page.exchanges) phases.set(state.phase, (phases.get(state.phase) ?? 0) + 1);
    before = page.next;
  } while (before !== undefined);
  return phases;
}

it(`${EXCHANGES} exchanges at once as fast as they go: each is recorded once, none is dropped (promise 8)`, async () => {
  const { url, store } = await startBehind(await startStreamer());
  await chats(url, EXCHANGES, 32);
  expect(await countRows(store)).toEqual(new Map([["completed", EXCHANGES]]));
  expect(store.health()).toMatchObject({ dropped: 0 });
}, 120_000);

it("1,000 idle connections: the next chat is served at once (promise 7)", async () => {
  const { port, url, app } = await startBehind(await startStreamer());
  const before = process.memoryUsage().rss;
  const idle = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    }),
  );
  onCleanUp(async () => idle.forEach((socket) => socket.destroy()));
  await waitFor(async () => (await openConnections(app.server)) >= 1000);
  const begun = performance.now();
  await chat(url);
  expect(performance.now() - begun).toBeLessThan(1000);
  // Both ends of each are in this process.
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * MIB);
});

it("a page that never reads: chats and other pages go on, what waits for it is bounded (promises 5 and 7)", async () => {
  const { port, url } = await startBehind(await startStreamer());
  const client = await connect(port);
  client.socket.pause();
  client.send(
    "GET /plimsoll/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const before = process.memoryUsage().arrayBuffers;
  await chats(url, 300, 16);
  expect((await health(url)).status).toBeDefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MIB);
});
