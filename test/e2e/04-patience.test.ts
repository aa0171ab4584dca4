/** Promise 4. No time limit of ours ever ends an exchange. */
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("no limit is set", () => {
  it("on the request, the answer or an idle connection; only a head that never comes is given up", async () => {
    const upstream = await startRawUpstream(() => {});
    const { app } = await startBehind(upstream);
    expect(app.server.requestTimeout).toBe(0);
    expect(app.server.timeout).toBe(0);
    expect(app.server.keepAliveTimeout).toBe(0);
    expect(app.server.headersTimeout).toBe(60_000);
  });

  it("on the upstream connection, however long Ollama is silent", async () => {
    const upstream = await startRawUpstream(() => {});
    const { port } = await startBehind(upstream);
    const client = await connect(port);
    client.send("POST /api/pull HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    await pause(300);
    const socket = upstream.connections[0]?.socket;
    // Nothing of ours would fire later either: neither side of the proxy holds a timer on this exchange.
    expect(socket?.timeout ?? 0).toBe(0);
    socket?.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    await client.until("ok");
  });
});

it("waits for a cold load of 6 s that sends nothing at all", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(async () => {
      await pause(6000);
      connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send('POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{"model":"m"}');
  await client.until("ok");
});

it("waits for an upload that pauses, and for a stream that pauses", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("second").then(async () => {
      connection.socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
      await pause(1500);
      connection.socket.write("1\r\nb\r\n0\r\n\r\n");
    });
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send("POST /api/blobs/sha256:x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nfirst");
  await pause(1500);
  client.send("second");
  await client.until("1\r\nb\r\n0\r\n\r\n");
});
