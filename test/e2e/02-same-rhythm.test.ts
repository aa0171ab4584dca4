/** Promise 2. Each chunk leaves when it arrives: no buffering, merging, parsing or recording stands in its way. */
import { afterEach, expect, it } from "vitest";
import { connect, dechunk, parseAnswer } from "../support/rawClient.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const REQUEST = 'POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n\r\n{"model":"m"}';

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

it("sends status and headers as soon as they arrive, before any body", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.write(HEAD));
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  expect(await client.until("\r\n\r\n")).toBe(HEAD);
});

it("waits for nothing between chunks: each is seen before the next is sent", async () => {
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.write(HEAD));
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  await client.until("\r\n\r\n");
  const socket = upstream.connections[0]?.socket;
  for (let index = 0; index < 50; index += 1) {
    // The upstream goes on only when the client has the chunk, so any held chunk would hang here.
    socket?.write(chunk(`{"response":"${index}","done":false}\n`));
    await client.until(`"${index}"`);
  }
  socket?.write("0\r\n\r\n");
  const text = await client.until("0\r\n\r\n");
  const { chunks, complete } = dechunk(Buffer.from(parseAnswer(text).body));
  expect(complete).toBe(true);
  expect(chunks).toHaveLength(50);
});

it("keeps 200 chunks of one burst apart", async () => {
  const lines = Array.from({ length: 200 }, (_, index) => `{"response":"${index}","done":false}\n`);
  const upstream = await startRawUpstream((connection) => {
    void connection
      .until("}")
      .then(() => connection.socket.write(`${HEAD}${lines.map(chunk).join("")}0\r\n\r\n`));
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  const text = await client.until("\r\n0\r\n\r\n");
  expect(dechunk(Buffer.from(parseAnswer(text).body)).chunks.map(String)).toEqual(lines);
});

it("passes a line of 8 MB", async () => {
  const line = `{"model":"m","response":"","done":true,"context":[${"1,".repeat(4_000_000)}1]}\n`;
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then(() => connection.socket.write(`${HEAD}${chunk(line)}0\r\n\r\n`));
  });
  const { port } = await startBehind(upstream);
  const client = await connect(port);
  client.send(REQUEST);
  const text = await client.until("\r\n0\r\n\r\n");
  expect(Buffer.concat(dechunk(Buffer.from(parseAnswer(text).body)).chunks).toString() === line).toBe(true);
});
