/** An upstream that speaks raw bytes: what it received is kept as sent, what it answers is scripted to the byte. */
import net from "node:net";

export interface UpstreamConnection {
  socket: net.Socket;
  /** Everything received so far. */
  received(): Buffer;
  /** Resolves when the bytes received contain `text`. */
  until(text: string): Promise<string>;
  closed: Promise<void>;
}

export interface RawUpstream {
  url: string;
  port: number;
  connections: UpstreamConnection[];
  close(): Promise<void>;
}

export async function startRawUpstream(
  onConnection: (connection: UpstreamConnection) => void,
): Promise<RawUpstream> {
  const connections: UpstreamConnection[] = [];
  const server = net.createServer({ noDelay: true }, (socket) => {
    let received = Buffer.alloc(0);
    const waiters: (() => void)[] = [];
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (const wake of waiters.splice(0)) {
        wake();
      }
    });
    socket.on("error", () => socket.destroy());
    const connection: UpstreamConnection = {
      socket,
      received: () => received,
      async until(text) {
        while (!received.includes(text)) {
          await new Promise<void>((resolve) => waiters.push(resolve));
        }
        return received.toString("latin1");
      },
      closed: new Promise((resolve) => socket.once("close", () => resolve())),
    };
    connections.push(connection);
    onConnection(connection);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections,
    async close() {
      for (const { socket } of connections) {
        socket.destroy();
      }
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers every request, head seen, with the same bytes. */
export function answering(bytes: string | Buffer): (connection: UpstreamConnection) => void {
  return (connection) => {
    void connection.until("\r\n\r\n").then(() => connection.socket.write(bytes));
  };
}
