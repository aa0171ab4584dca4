/** A client that sees everything: header names in their order, chunk borders, how the connection ended. */
import { connect, type Socket } from "node:net";

export interface RawRequest {
  port: number;
  method?: string;
  target: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface RawAnswer {
  status: number;
  headers: [string, string][];
  /** One entry for each HTTP chunk, or the whole body. */
  chunks: string[];
  chunked: boolean;
  /** Informational answers that came first. */
  interim: number[];
  trailers: [string, string][];
  /** False when the connection ended before the body did. */
  complete: boolean;
  ended: "open" | "fin" | "reset";
  /** Milliseconds from the request to each read. */
  readMs: number[];
}

function requestBytes(request: RawRequest): string {
  const { method = "POST", target, headers = {}, body = "" } = request;
  const fields = { host: "127.0.0.1:11434", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const length =
    method === "GET" || method === "HEAD" ? "" : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}${length}\r\n${body}`;
}

/** Resolves when the answer is whole or the connection has ended. */
export async function rawRequest(request: RawRequest): Promise<RawAnswer> {
  const socket = connect(request.port, "127.0.0.1");
  const startedAt = performance.now();
  let received = "";
  const readMs: number[] = [];
  try {
    return await new Promise<RawAnswer>((resolve) => {
      const settle = (ended: RawAnswer["ended"]): void => {
        const answer = decode(received, request.method ?? "POST");
        if (answer.complete || ended !== "open") resolve({ ...answer, ended, readMs });
      };
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1");
        readMs.push(performance.now() - startedAt);
        settle("open");
      });
      socket.on("end", () => settle("fin"));
      socket.on("error", () => settle("reset"));
      socket.write(requestBytes(request));
    });
  } finally {
    socket.destroy();
  }
}

/** Sends the request and leaves it to the caller to go away. */
export function openRequest(request: RawRequest): Socket {
  const socket = connect(request.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(requestBytes(request));
  return socket;
}

type Decoded = Omit<RawAnswer, "ended" | "readMs">;

function decode(received: string, method: string): Decoded {
  const interim: number[] = [];
  let rest = received;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    const none: Decoded = {
      status: 0,
      headers: [],
      chunks: [],
      chunked: false,
      interim,
      trailers: [],
      complete: false,
    };
    if (end === -1) return none;
    const [start = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(start.split(" ")[1]);
    rest = rest.slice(end + 4);
    if (status < 200) {
      interim.push(status);
      continue;
    }
    return {
      ...none,
      status,
      headers: lines.map(field),
      ...decodeBody(rest, { status, method, headers: lines.map(field) }),
    };
  }
}

function decodeBody(
  rest: string,
  about: { status: number; method: string; headers: [string, string][] },
): Pick<Decoded, "chunks" | "chunked" | "trailers" | "complete"> {
  const value = (name: string): string | undefined =>
    about.headers.find(([header]) => header.toLowerCase() === name)?.[1];
  if (about.method === "HEAD" || about.status === 204) {
    return { chunks: [], chunked: false, trailers: [], complete: true };
  }
  const length = value("content-length");
  if (length !== undefined) {
    return { chunks: [utf8(rest)], chunked: false, trailers: [], complete: rest.length >= Number(length) };
  }
  return { chunked: true, ...decodeChunks(rest) };
}

function decodeChunks(received: string): Pick<Decoded, "chunks" | "trailers" | "complete"> {
  const chunks: string[] = [];
  let rest = received;
  for (;;) {
    const lineEnd = rest.indexOf("\r\n");
    if (lineEnd === -1) return { chunks, trailers: [], complete: false };
    const size = Number.parseInt(rest.slice(0, lineEnd), 16);
    if (size === 0) {
      const tail = rest.slice(lineEnd + 2);
      const trailers = tail
        .split("\r\n")
        .filter((line) => line !== "")
        .map(field);
      return { chunks, trailers, complete: tail.endsWith("\r\n") };
    }
    if (rest.length < lineEnd + 2 + size + 2) return { chunks, trailers: [], complete: false };
    chunks.push(utf8(rest.slice(lineEnd + 2, lineEnd + 2 + size)));
    rest = rest.slice(lineEnd + 2 + size + 2);
  }
}

function field(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
