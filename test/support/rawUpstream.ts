/** An upstream that speaks raw bytes: what it received is kept as sent, what it answers is scripted to the byte. */
import net from "node:net";

export interface UpstreamConnection {
  socket: net.Socket;
  /** Everything received so far. */
  received(): Buffer;
  /** Called for each chunk, the one that brought the connection up included. */
  onChunk(listener: (chunk: Buffer) => void): void;
  /** Resolves when the bytes received contain `text`. */
  until(text: string): Promise<string>;
  closed: Promise<void>;
}

export interface RawUpstream {
  url: string;
  port: number;
  /** Connections that carry what clients sent. */
  connections: UpstreamConnection[];
  /** Connections on which Plimsoll itself asks how Ollama is. */
  ownQuestions: UpstreamConnection[];
  close(): Promise<void>;
}

const NOTHING_LOADED =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\nConnection: close\r\n\r\n{"version":"0.33.0-test","models":[     ]}';

/** `onQuestion` answers what Plimsoll itself asks; without it nothing is loaded. */
export async function startRawUpstream(
  onConnection: (connection: UpstreamConnection) => void,
  onQuestion: (connection: UpstreamConnection) => void = answering(NOTHING_LOADED),
): Promise<RawUpstream> {
  const connections: UpstreamConnection[] = [];
  const ownQuestions: UpstreamConnection[] = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    let received = Buffer.alloc(0);
    let sorted = false;
    const waiters: (() => void)[] = [];
    const listeners: ((chunk: Buffer) => void)[] = [];
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (!sorted) {
        sorted = true;
        const own = /^user-agent: plimsoll\r$/im.test(received.toString("latin1"));
        (own ? ownQuestions : connections).push(connection);
        (own ? onQuestion : onConnection)(connection);
      }
      for (const wake of waiters.splice(0)) {
        wake();
      }
      for (const listener of listeners) {
        listener(chunk);
      }
    });
    socket.on("error", () => socket.destroy());
    const connection: UpstreamConnection = {
      socket,
      received: () => received,
      onChunk: (listener) => listeners.push(listener),
      async until(text) {
        while (!received.includes(text)) {
          await new Promise<void>((resolve) => waiters.push(resolve));
        }
        return received.toString("latin1");
      },
      closed: new Promise((resolve) => socket.once("close", () => resolve())),
    };
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections,
    ownQuestions,
    async close() {
      for (const { socket } of [...connections, ...ownQuestions]) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers every request, once its head has been seen, with the same bytes. */
export function answering(bytes: string | Buffer): (connection: UpstreamConnection) => void {
  return (connection) => {
    let seenBytes = 0;
    connection.onChunk(() => {
      const head = connection.received().indexOf("\r\n\r\n", seenBytes);
      if (head !== -1) {
        seenBytes = connection.received().length;
        connection.socket.write(bytes);
      }
    });
  };
}
