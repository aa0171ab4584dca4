import net, { type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { cleanUp, closers, listen, startProxy } from "./support/forwarding.ts";

afterEach(cleanUp);

it("breaks off an answer without length behind all that came of it, however little of that still waits", async () => {
  const PIECE = 16 * 1024;
  let sentBytes = 0;
  let toClient: Socket | undefined;
  const cut = Promise.withResolvers<void>();
  const upstreamPort = await listen(
    net.createServer({ noDelay: true }, (socket) => {
      closers.push(() => socket.destroy());
      socket.on("error", () => {});
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n");
      // Piece by piece, until the system takes no more for the client, then cut.
      const more = (): void => {
        if ((toClient?.writableLength ?? 0) > 0) {
          socket.end(() => setTimeout(cut.resolve, 50));
        } else {
          sentBytes += PIECE;
          socket.write(Buffer.alloc(PIECE, "x"), () => setTimeout(more, 1));
        }
      };
      more();
    }),
  );
  const proxyPort = await startProxy(upstreamPort, {
    began: (outgoing) => (toClient = outgoing.socket ?? undefined),
  });
  const client = net.connect(proxyPort, "127.0.0.1");
  closers.push(() => client.destroy());
  client.write("GET /api/chat HTTP/1.0\r\nHost: localhost\r\n\r\n");
  await cut.promise;
  let receivedBytes = 0;
  client.on("data", (bytes: Buffer) => (receivedBytes += bytes.length));
  const broken = await new Promise<NodeJS.ErrnoException>((resolve) => client.once("error", resolve));

  expect(broken.code).toBe("ECONNRESET");
  expect(receivedBytes).toBeGreaterThan(0);
  expect(receivedBytes).toBeLessThanOrEqual(sentBytes + 100);
}, 20_000);
