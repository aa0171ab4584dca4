/** A wire between two programs that keeps what passes, so that both sides of Plimsoll can be compared byte by byte. */
import net from "node:net";

interface Wire {
  sent: Buffer[];
  answered: Buffer[];
}

export interface Relay {
  url: string;
  wires: Wire[];
  close(): Promise<void>;
}

export async function startRelay(to: string): Promise<Relay> {
  const { hostname, port } = new URL(to);
  const wires: Wire[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true, allowHalfOpen: false }, (near) => {
    const far = net.connect({ host: hostname, port: Number(port), noDelay: true });
    const wire: Wire = { sent: [], answered: [] };
    wires.push(wire);
    for (const [from, into, kept] of [
      [near, far, wire.sent],
      [far, near, wire.answered],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        kept.push(chunk);
        into.write(chunk);
      });
      from.on("end", () => into.end());
      from.on("error", () => into.destroy());
      from.on("close", () => {
        sockets.delete(from);
        into.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    wires,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
