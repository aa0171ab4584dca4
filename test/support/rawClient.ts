/** A client that speaks raw bytes, so that a test can say exactly what goes over the wire and see what came back. */
import net from "node:net";

export interface RawClient {
  socket: net.Socket;
  send(bytes: string | Buffer): void;
  received(): Buffer;
  /** Resolves with everything received once it contains `text`; rejects if the connection closes first. */
  until(text: string): Promise<string>;
  /** Resolves when the connection has closed: how it ended, and all that came before. */
  ended: Promise<{ how: "fin" | "reset"; text: string; bytes: Buffer }>;
}

export async function connect(port: number): Promise<RawClient> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: false });
  let received = Buffer.alloc(0);
  let closed = false;
  const waiters: (() => void)[] = [];
  const wake = (): void => {
    for (const resolve of waiters.splice(0)) {
      resolve();
    }
  };
  let how: "fin" | "reset" = "fin";
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on("error", () => {
    how = "reset";
  });
  const ended = new Promise<{ how: "fin" | "reset"; text: string; bytes: Buffer }>((resolve) => {
    socket.once("close", () => {
      closed = true;
      wake();
      resolve({ how, text: received.toString("latin1"), bytes: received });
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    send: (bytes) => socket.write(bytes),
    received: () => received,
    async until(text) {
      while (!received.includes(text)) {
        if (closed) {
          throw new Error(
            `closed before ${JSON.stringify(text)}: ${received.toString("latin1").slice(-300)}`,
          );
        }
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
      return received.toString("latin1");
    },
    ended,
  };
}

/** Splits a whole answer into its head lines and the rest. */
export function parseAnswer(text: string): { statusLine: string; headers: [string, string][]; body: string } {
  const end = text.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  return {
    statusLine,
    headers: lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    body: text.slice(end + 4),
  };
}

/** Takes HTTP chunk framing off, keeping the chunks apart. `complete` is false when the last chunk is missing. */
export function dechunk(body: Buffer): { chunks: Buffer[]; complete: boolean; trailers: string } {
  const chunks: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    const lineEnd = body.indexOf("\r\n", at);
    if (lineEnd === -1) {
      break;
    }
    const size = Number.parseInt(body.subarray(at, lineEnd).toString("latin1"), 16);
    if (size === 0) {
      const trailers = body.subarray(lineEnd + 2).toString("latin1");
      return { chunks, complete: trailers.endsWith("\r\n"), trailers: trailers.replace(/\r\n$/, "") };
    }
    if (lineEnd + 2 + size + 2 > body.length) {
      break;
    }
    chunks.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { chunks, complete: false, trailers: "" };
}
