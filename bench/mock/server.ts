/** A deterministic Ollama: it answers what the model's name orders, and takes uploads of any size. */
import { createServer, type Server, type Socket } from "node:net";
import { monotonicMs } from "../wire/clock.ts";
import type { Head } from "../wire/head.ts";
import { createMessageReader } from "../wire/messageReader.ts";
import { CHAT_PATHS, modelOf, readOrder, type Dialect, type Order } from "../wire/request.ts";
import { fixedAnswer, streamedAnswer, wholeAnswer } from "./answers.ts";
import { createDigestKeeper, type DigestKeeper } from "./digests.ts";
import { createPacer, type Pacer } from "./pacer.ts";

export interface MockServer {
  server: Server;
  digests: DigestKeeper;
}

/** An order stands in the first bytes of a body; the rest is only counted off. */
const ORDER_WITHIN_BYTES = 1024;

export function createMockServer(): MockServer {
  const digests = createDigestKeeper();
  const pacer = createPacer(monotonicMs);
  const models = new Set<string>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    serveConnection(socket, { digests, pacer, models });
  });
  return { server, digests };
}

interface Parts {
  digests: DigestKeeper;
  pacer: Pacer;
  /** Those that have been asked for: they count as loaded from then on. */
  models: Set<string>;
}

function serveConnection(socket: Socket, parts: Parts): void {
  let head: Head | undefined;
  let bodyStart = "";
  let digest = parts.digests.open(false);
  const reader = createMessageReader("request", {
    head(received) {
      head = received;
      bodyStart = "";
      digest = parts.digests.open(dialectOf(received.startLine.split(" ")[1] ?? "") !== undefined);
      if (received.field("expect")?.toLowerCase() === "100-continue") {
        socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      }
    },
    body(bytes) {
      digest.request(bytes);
      if (bodyStart.length < ORDER_WITHIN_BYTES) {
        bodyStart += bytes.toString("latin1", 0, ORDER_WITHIN_BYTES);
      }
    },
    end() {
      const [method = "", path = ""] = head?.startLine.split(" ") ?? [];
      const send = (payload: string): void => digest.answer(payload);
      answer({ ...parts, socket, method, path, bodyStart, sent: send, ended: digest.end });
    },
  });
  socket.on("data", (bytes: Buffer) => reader.push(bytes));
}

interface Asked extends Parts {
  socket: Socket;
  method: string;
  path: string;
  bodyStart: string;
  sent(payload: string): void;
  ended(): void;
}

function answer(asked: Asked): void {
  const [path = ""] = asked.path.split("?");
  const dialect = dialectOf(path);
  const order = dialect === undefined ? undefined : readOrder(asked.bodyStart);
  const fixed = fixedAnswer(asked.method, path, asked.models);
  if (dialect !== undefined && order !== undefined) {
    asked.models.add(modelOf(order));
    if (order.stream ?? dialect === "ollama") {
      stream(asked, dialect, order);
    } else {
      answerWhole(asked, "200 OK", wholeAnswer(dialect, order));
    }
  } else if (fixed !== undefined) {
    answerWhole(asked, "200 OK", fixed);
  } else if (asked.method === "POST" && path.startsWith("/api/blobs/")) {
    answerWhole(asked, "201 Created", "");
  } else {
    answerWhole(asked, "404 Not Found", '{"error":"not found"}');
  }
}

function dialectOf(path: string): Dialect | undefined {
  return (["ollama", "openai"] as const).find((dialect) => CHAT_PATHS[dialect] === path);
}

function answerWhole(asked: Asked, status: string, body: string): void {
  asked.sent(body);
  asked.ended();
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n`;
  asked.socket.write(asked.method === "HEAD" ? head : head + body, "latin1");
}

function stream(asked: Asked, dialect: Dialect, order: Order): void {
  const { socket } = asked;
  const { head, chunk, last } = streamedAnswer(dialect, order);
  let left = order.chunkCount;
  let start = head;
  const send = (payload: string, end = ""): void => {
    asked.sent(payload);
    socket.write(`${start}${payload.length.toString(16)}\r\n${payload}\r\n${end}`, "latin1");
    start = "";
  };
  const paced = {
    sendNext() {
      if (left === 0) {
        send(last, "0\r\n\r\n");
        asked.ended();
        return false;
      }
      left -= 1;
      send(chunk());
      return true;
    },
    whenBlocked: () =>
      socket.writableNeedDrain ? (then: () => void): void => void socket.once("drain", then) : undefined,
    closed: () => socket.destroyed,
  };
  if (order.intervalMs === 0) {
    asked.pacer.flatOut(paced);
  } else {
    asked.pacer.paced(paced, order.intervalMs);
  }
}
