import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { WebSocket } from "ws";
import type { Live, LiveOptions } from "../../src/dashboard/live.ts";
import { createLive } from "../../src/dashboard/live.ts";
import type { ServerMessage } from "../../src/types.ts";
import { anAccess, aSnapshot } from "./support.ts";

export interface LiveServer {
  live: Live;
  host: string;
  logged: string[];
  /** An open viewer and all it has received. */
  view(headers?: Record<string, string>): Promise<Viewer>;
  /** The status of a handshake that is refused. */
  refusal(path: string, headers?: Record<string, string>): Promise<number>;
  /** A viewer that shakes hands and then reads nothing until told to. */
  viewWithoutReading(): Promise<Socket>;
  close(): Promise<void>;
}

export interface Viewer {
  socket: WebSocket;
  received: ServerMessage[];
  /** Resolves with the first message, seen or to come, that fits. */
  message(fits: (message: ServerMessage) => boolean): Promise<ServerMessage>;
  closed: Promise<number>;
}

/** A hub on a real server, with short intervals. */
export async function startLive(overrides: Partial<LiveOptions> = {}): Promise<LiveServer> {
  const logged: string[] = [];
  const live = createLive({
    access: anAccess(),
    log: { error: (message) => logged.push(message) },
    snapshot: () => aSnapshot(),
    monotonic: () => performance.now(),
    updateIntervalMs: 50,
    ...overrides,
  });
  const server = createServer();
  server.on("upgrade", live.handleUpgrade);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return {
    live,
    host,
    logged,
    view: (headers) => openViewer(`ws://${host}/plimsoll/live`, headers),
    refusal: (path, headers) => refusedStatus(`ws://${host}${path}`, headers),
    viewWithoutReading: () => openSilently(port),
    async close() {
      live.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function openViewer(url: string, headers: Record<string, string> = {}): Promise<Viewer> {
  const socket = new WebSocket(url, { headers });
  const received: ServerMessage[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data) => {
    received.push(JSON.parse(data.toString()) as ServerMessage);
    for (const check of waiting) check();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const message = (fits: (message: ServerMessage) => boolean): Promise<ServerMessage> =>
    new Promise((resolve) => {
      const check = (): void => {
        const found = received.find(fits);
        if (!found) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { socket, received, message, closed };
}

function refusedStatus(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on("unexpected-response", (_, response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    socket.on("open", () => reject(new Error("the handshake was accepted")));
    socket.on("error", () => {});
  });
}

async function openSilently(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  socket.write(
    `GET /plimsoll/live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once("data", resolve));
  socket.pause();
  return socket;
}
