/** The listening socket: how requests, upgrades and broken bytes come in. */
import http from "node:http";
import type { Duplex } from "node:stream";
import { admit, type HostPolicy } from "./admission.ts";
import type { Handler } from "./handler.ts";
import { MAX_HEADER_BYTES } from "./upstream.ts";

export interface ServerParts {
  handler: Handler;
  /** The one target on which an Upgrade is honoured. */
  livePath: string;
  hostIsAllowed: HostPolicy;
  upgrade(incoming: http.IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** A client that has connected and sends no request within this time is let go. */
const HEAD_TIMEOUT_MS = 60_000;

export function createProxyServer({ handler, livePath, hostIsAllowed, upgrade }: ServerParts): http.Server {
  const server = http.createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    // We answer a missing Host ourselves, in the words of Ollama's server.
    requireHostHeader: false,
    noDelay: true,
    keepAlive: true,
    // An upload or a cold load may take hours; only the head of a request has a time limit.
    requestTimeout: 0,
    headersTimeout: HEAD_TIMEOUT_MS,
    // Ollama never closes an idle connection; closing one here would race with the client's next request.
    keepAliveTimeout: 0,
    // Elsewhere Upgrade is ignored, as Ollama ignores it, and the request goes on as plain HTTP/1.1.
    shouldUpgradeCallback: (incoming) => incoming.url?.split("?")[0] === livePath,
  });
  // Node drops fields beyond 2000 without a word.
  server.maxHeadersCount = 0;
  server.on("request", handler.handle);
  // Without these listeners Node would answer `Expect` by itself; whether the body is wanted is Ollama's to say.
  server.on("checkContinue", handler.handle);
  server.on("checkExpectation", handler.handle);
  server.on("upgrade", (incoming, socket, head) => {
    const { httpVersion, method = "GET", url: target = "/", rawHeaders } = incoming;
    if (admit({ httpVersion, method, target, rawHeaders }, hostIsAllowed).admitted) {
      upgrade(incoming, socket, head);
    } else {
      refuse(socket, "403 Forbidden", "this Host is not allowed");
    }
  });
  server.on("connect", (_incoming, socket) => refuse(socket, "405 Method Not Allowed", "CONNECT"));
  server.on("connection", (socket) => {
    socket.on("end", () => handler.clientEnded(socket));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
    } else if (error.code === "HPE_HEADER_OVERFLOW") {
      refuse(socket, "431 Request Header Fields Too Large", `headers over ${MAX_HEADER_BYTES} bytes`);
    } else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
      refuse(socket, "408 Request Timeout", "no complete request head arrived in time");
    } else {
      refuse(socket, "400 Bad Request", "the request is not valid HTTP/1.1");
    }
  });
  return server;
}

function refuse(socket: Duplex, status: string, reason: string): void {
  const body = `${status}: ${reason}`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
