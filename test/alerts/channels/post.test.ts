import net from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../../../src/alerts/channels/channel.ts";
import { post } from "../../../src/alerts/channels/post.ts";
import { cleanUp, onCleanUp } from "../../support/startPlimsoll.ts";
import { waitFor } from "../../support/waitFor.ts";
import { startSink } from "./support.ts";

afterEach(cleanUp);

const SECRET = "T0P-SECRET";

function send(url: string, timeoutMs = 2000): Promise<void> {
  return post(`${url}/${SECRET}?key=${SECRET}`, {
    body: '{"a":1}',
    headers: { Authorization: `Bearer ${SECRET}` },
    signal: AbortSignal.timeout(timeoutMs),
  });
}

async function problemOf(sent: Promise<void>): Promise<DeliveryError> {
  const error = await sent.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeliveryError);
  expect(String(error)).not.toContain(SECRET);
  return error as DeliveryError;
}

describe("what is delivered", () => {
  it("is one POST with its length", async () => {
    const sink = await startSink();
    await send(sink.url);
    expect(sink.received).toHaveLength(1);
    expect(sink.received[0]).toMatchObject({
      body: '{"a":1}',
      headers: {
        "content-type": "application/json",
        "content-length": "7",
        authorization: `Bearer ${SECRET}`,
      },
    });
  });

  it.each([
    ["10 GB", { "Content-Length": "10000000000" }],
    ["an answer without end", {}],
  ])("is settled by the status; %s is cut", async (_name, headers) => {
    let written = 0;
    const sink = await startSink((response) => {
      response.writeHead(200, headers);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {
          written += 65_536;
        }
        response.once("drain", more);
      };
      more();
    });
    await send(sink.url);
    await waitFor(() => sink.cutCount() === 1);
    expect(written).toBeLessThan(64 * 2 ** 20);
  });

  it.each([
    ["stops half-way", false],
    ["drips", true],
  ])("is settled by the status; an answer that %s keeps no connection", async (_name, drips) => {
    const sink = await startSink((response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("begun");
      const dripping = setInterval(() => drips && response.write("x"), 50);
      response.on("close", () => clearInterval(dripping));
    });
    await send(sink.url, 60_000);
    await waitFor(() => sink.cutCount() === 1);
  });
});

describe("what is not delivered", () => {
  it.each([301, 302, 303, 307, 308])("a redirect by %d is not followed", async (status) => {
    const elsewhere = await startSink();
    const sink = await startSink((response) =>
      response.writeHead(status, { Location: `${elsewhere.url}/x` }).end(),
    );
    const problem = await problemOf(send(sink.url));
    expect(problem.message).toMatch(/redirect/);
    expect(problem.again).toBe(false);
    expect(elsewhere.received).toEqual([]);
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [400, false],
    [404, false],
  ])("status %d; a later try may help: %s", async (status, again) => {
    const sink = await startSink((response) => response.writeHead(status).end(SECRET));
    const problem = await problemOf(send(sink.url));
    expect(problem).toMatchObject({ message: `answered ${status}`, again });
  });

  it("hangs before it answers", async () => {
    const sink = await startSink(() => {});
    const problem = await problemOf(send(sink.url, 100));
    expect(problem).toMatchObject({ message: "did not answer in time", again: true });
  });

  it.each([
    ["talks something else", "220 mail ready\r\n"],
    ["says nothing and closes", ""],
    ["sends 1 MB of headers", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(2 ** 20)}\r\n`],
  ])("%s", async (_name, text) => {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(text));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanUp(async () => server.close());
    const problem = await problemOf(send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    expect(problem.message).toMatch(/^cannot be reached \([A-Z_]+\)$/);
  });

  it("is refused by the machine", async () => {
    expect((await problemOf(send("http://127.0.0.1:1"))).message).toBe("cannot be reached (ECONNREFUSED)");
  });

  it("does not speak TLS", async () => {
    const sink = await startSink();
    const problem = await problemOf(send(sink.url.replace("http:", "https:")));
    expect(problem.message).toMatch(/^cannot be reached \(\w+\)$/);
  });
});
