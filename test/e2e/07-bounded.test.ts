/** Promise 7. Every buffer has a limit: a slow reader slows its upstream, an upload of any size costs kilobytes. */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

/** Takes an upload without keeping it and answers 201 at its end. */
async function startSwallower(bodyBytes: number): Promise<{ url: string; close(): Promise<void> }> {
  const server = http.createServer((incoming, outgoing) => {
    let receivedBytes = 0;
    incoming.on("data", (chunk: Buffer) => (receivedBytes += chunk.length));
    incoming.on("end", () => outgoing.writeHead(receivedBytes === bodyBytes ? 201 : 400).end());
  });
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const MIB = 1024 * 1024;
/** `npm run test:upload` sends 100 GB; here 512 MiB show the same slope. */
const UPLOAD_BYTES = Number(process.env["UPLOAD_BYTES"] ?? 512 * MIB);

it("slows the upstream when the client does not read", async () => {
  const block = Buffer.alloc(64 * 1024, "x");
  let written = 0;
  const upstream = await startRawUpstream((connection) => {
    void connection.until("\r\n\r\n").then(() => {
      connection.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const push = (): void => {
        while (written < 200 * MIB && connection.socket.writable) {
          written += block.length;
          if (!connection.socket.write(`10000\r\n${block.toString("latin1")}\r\n`)) {
            connection.socket.once("drain", push);
            return;
          }
        }
      };
      push();
    });
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.socket.pause();
  client.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  // What has left the upstream sits in the buffers of two loopback connections, and no more.
  expect(written).toBeLessThan(32 * MIB);
  const before = written;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(written - before).toBeLessThan(MIB);
});

it("slows the client when the upstream does not read", async () => {
  const upstream = await startRawUpstream((connection) => connection.socket.pause());
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send("POST /api/blobs/sha256:x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const block = `10000\r\n${"x".repeat(65_536)}\r\n`;
  let sent = 0;
  const deadline = performance.now() + 1500;
  while (sent < 200 * MIB && performance.now() < deadline) {
    sent += 65_536;
    if (!client.socket.write(block)) {
      await Promise.race([once(client.socket, "drain"), new Promise((resolve) => setTimeout(resolve, 300))]);
      if (client.socket.writableNeedDrain) {
        break;
      }
    }
  }
  expect(sent).toBeLessThan(64 * MIB);
});

it(
  "forwards a large upload without holding it",
  async () => {
    const upstream = await startSwallower(UPLOAD_BYTES);
    const { port } = await startBehind(upstream);
    const client = await connect(port);
    client.send(
      `POST /api/blobs/sha256:x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`,
    );
    const block = Buffer.alloc(256 * 1024);
    // Client, proxy and upstream share this process: their garbage between collections is there after 64 MiB.
    const firstBytes = 64 * MIB;
    let highestAtFirst = 0;
    let highest = 0;
    for (let sent = 0; sent < UPLOAD_BYTES; sent += block.length) {
      if (!client.socket.write(block.subarray(0, Math.min(block.length, UPLOAD_BYTES - sent)))) {
        await once(client.socket, "drain");
      }
      highest = Math.max(highest, process.memoryUsage.rss());
      if (sent < firstBytes) highestAtFirst = highest;
    }
    await client.until("201 Created");
    expect(highest - highestAtFirst).toBeLessThan(128 * MIB);
  },
  // A slow machine moves 100 MB a second.
  (UPLOAD_BYTES / MIB) * 10 + 20_000,
);
