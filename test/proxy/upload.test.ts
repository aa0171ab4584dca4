import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { cleanUp, closers, listen, startProxy } from "./support/forwarding.ts";

afterEach(cleanUp);

/** Reads a body, after a while if it is told to wait, and answers its hash. */
function hashing(waitMs: number): http.Server {
  return http.createServer((incoming, outgoing) => {
    const hash = createHash("sha256");
    setTimeout(() => {
      incoming.on("data", (chunk: Buffer) => hash.update(chunk));
      incoming.on("end", () => outgoing.end(hash.digest("hex")));
    }, waitMs);
  });
}

it.each([
  ["an Ollama that reads at once", 0, "length"],
  ["an Ollama that is slower than the client", 300, "length"],
  ["a body in chunks", 0, "chunked"],
] as const)("leaves a watcher what it keeps and frees the rest: %s", async (_, waitMs, framing) => {
  const upstreamPort = await listen(hashing(waitMs));
  const kept: Buffer[] = [];
  const notKept: Buffer[] = [];
  let length = 0;
  const intactWhenSettled: boolean[] = [];
  const proxyPort = await startProxy(upstreamPort, {
    watcher: {
      requestChunk(chunk) {
        length += chunk.length;
        const keeps = (kept.length + notKept.length) % 2 === 0;
        (keeps ? kept : notKept).push(chunk);
        return keeps;
      },
      requestSettled: () => intactWhenSettled.push(kept.every((chunk) => chunk.length > 0)),
    },
  });
  const body = randomBytes(12_000_000);
  const request = http.request({ port: proxyPort, host: "127.0.0.1", method: "POST", agent: false });
  if (framing === "length") request.setHeader("content-length", body.length);
  request.end(body);
  const [answer] = (await once(request, "response")) as [http.IncomingMessage];
  const text = (await answer.toArray()).join("");

  expect(text).toBe(createHash("sha256").update(body).digest("hex"));
  expect(length).toBe(body.length);
  expect(kept.length).toBeGreaterThan(20);
  expect(kept.every((chunk) => chunk.length > 0)).toBe(true);
  expect(intactWhenSettled).not.toHaveLength(0);
  expect(intactWhenSettled).not.toContain(false);
  const freed = notKept.filter((chunk) => chunk.length === 0);
  expect(freed.length).toBeGreaterThan(notKept.length * 0.8);
});

it("takes what is left of an upload when the answer came early, from an Ollama that no longer reads", async () => {
  const body = Buffer.alloc(20_000_000, "a");
  const upstreamPort = await listen(
    net.createServer((socket) => {
      socket.on("error", () => {});
      socket.pause();
      // By now all buffers on the way are full, and the client waits.
      setTimeout(() => socket.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"), 500);
      closers.push(() => socket.destroy());
    }),
  );
  const proxyPort = await startProxy(upstreamPort, {});
  const client = net.connect(proxyPort, "127.0.0.1");
  closers.push(() => client.destroy());
  client.resume();
  client.write(`POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`);
  const error = await new Promise((resolve) => {
    client.once("error", resolve);
    client.write(body, resolve);
  });

  expect(error ?? undefined).toBeUndefined();
});

it("gives others their turn while an upload comes in chunks of a byte each", async () => {
  const upstreamPort = await listen(hashing(0));
  let sinceTurn = 0;
  let most = 0;
  let turn = setImmediate(function next() {
    sinceTurn = 0;
    turn = setImmediate(next);
  });
  closers.push(() => clearImmediate(turn));
  const proxyPort = await startProxy(upstreamPort, {
    watcher: {
      requestChunk() {
        sinceTurn += 1;
        most = Math.max(most, sinceTurn);
        return false;
      },
    },
  });
  const client = net.connect(proxyPort, "127.0.0.1");
  closers.push(() => client.destroy());
  client.write("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.write(`${"1\r\na\r\n".repeat(50_000)}0\r\n\r\n`);
  let received = "";
  client.on("data", (bytes: Buffer) => (received += String(bytes)));
  const hash = createHash("sha256").update("a".repeat(50_000)).digest("hex");
  await vi.waitUntil(() => received.includes(hash), { timeout: 10_000 });

  expect(most).toBeLessThan(2000);
});
