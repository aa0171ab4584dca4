/** Mock and driver against each other, over real sockets. */
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runBursts } from "../../bench/driver/bursts.ts";
import { takeFingerprint } from "../../bench/driver/fingerprint.ts";
import { runRequests } from "../../bench/driver/requests.ts";
import { runStreams } from "../../bench/driver/streams.ts";
import { runThroughput } from "../../bench/driver/throughput.ts";
import { runUpload } from "../../bench/driver/upload.ts";
import { createMockServer, type MockServer } from "../../bench/mock/server.ts";
import type { Dialect } from "../../bench/wire/request.ts";

let mock: MockServer;
let endpoint: { port: number; fields: string[] };
let sockets: Socket[];

beforeEach(async () => {
  mock = createMockServer();
  sockets = [];
  mock.server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => mock.server.listen(0, "127.0.0.1", resolve));
  endpoint = { port: (mock.server.address() as AddressInfo).port, fields: [] };
});

// fetch keeps its connections, for which closing alone would wait.
afterEach(async () => {
  const closed = new Promise((resolve) => mock.server.close(resolve));
  sockets.forEach((socket) => socket.destroy());
  await closed;
});

describe.each<Dialect>(["ollama", "openai"])("in the dialect of %s", (dialect) => {
  it("streams bring every chunk, on schedule, with its delay", async () => {
    const result = await runStreams({
      ...endpoint,
      dialect,
      streamCount: 3,
      chunkCount: 20,
      intervalMs: 5,
      skip: 5,
    });
    expect(result.delaysMs).toHaveLength(3 * 15);
    expect(Math.min(...result.delaysMs)).toBeGreaterThanOrEqual(0);
    const sentAtMs = [...result.sentAtMs];
    expect(Math.max(...sentAtMs) - Math.min(...sentAtMs)).toBeGreaterThan(14 * 5 - 5);
  });

  it.each([
    { stream: true, imageBytes: 0, framing: "length" as const },
    { stream: false, imageBytes: 0, framing: "chunked" as const },
    { stream: true, imageBytes: 900_000, framing: "chunked" as const },
  ])("both sides see the same bytes (%j)", async (exchange) => {
    mock.digests.enable(true);
    const outside = await takeFingerprint({
      ...endpoint,
      ...exchange,
      dialect,
      chunkCount: 50,
      intervalMs: 0,
    });
    expect(mock.digests.last()).toEqual(outside);
    expect(outside.requestSha256).not.toBe(outside.answerSha256);
  });

  it("a closed loop counts the streams that it finished", async () => {
    const { streamCount, elapsedMs } = await runThroughput({
      ...endpoint,
      dialect,
      chunkCount: 10,
      intervalMs: 0,
      clientCount: 4,
      durationMs: 50,
    });
    expect(streamCount).toBeGreaterThanOrEqual(4);
    expect(elapsedMs).toBeGreaterThanOrEqual(50);
  });
});

it("real answers are JSON, line by line", async () => {
  const native = await fetch(`http://127.0.0.1:${endpoint.port}/api/chat`, {
    method: "POST",
    body: '{"model":"bench:2x0","messages":[]}',
  });
  const lines = (await native.text()).trim().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { done: boolean }).done)).toEqual([false, false, true]);
  const events = await fetch(`http://127.0.0.1:${endpoint.port}/v1/chat/completions`, {
    method: "POST",
    body: '{"model":"bench:2x0","stream":true,"messages":[]}',
  });
  const data = (await events.text()).trim().split("\n\n");
  expect(data.at(-1)).toBe("data: [DONE]");
  expect(data.slice(0, -1).map((event) => JSON.parse(event.slice(6)) as object)).toHaveLength(3);
});

it("answers what an observer asks of Ollama, and 404 to the rest", async () => {
  const url = `http://127.0.0.1:${endpoint.port}`;
  expect(await (await fetch(`${url}/api/version`)).json()).toHaveProperty("version");
  expect(await (await fetch(`${url}/api/ps`)).json()).toHaveProperty("models");
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
  expect((await fetch(`${url}/api/unknown`)).status).toBe(404);
});

it("lists a model as loaded once it has been asked for", async () => {
  const url = `http://127.0.0.1:${endpoint.port}`;
  await (
    await fetch(`${url}/api/chat`, { method: "POST", body: '{"model":"bench:1x0","messages":[]}' })
  ).text();
  expect(await (await fetch(`${url}/api/ps`)).json()).toMatchObject({ models: [{ name: "bench:1x0" }] });
});

it("an observer's own questions do not stand for the exchange that is compared", async () => {
  mock.digests.enable(true);
  const order = { chunkCount: 3, intervalMs: 0, stream: true, imageBytes: 0, framing: "length" as const };
  const outside = await takeFingerprint({ ...endpoint, ...order, dialect: "ollama" });
  await fetch(`http://127.0.0.1:${endpoint.port}/api/ps`).then((answer) => answer.text());
  expect(mock.digests.last()).toEqual(outside);
});

it("takes an upload that is no whole number of blocks", async () => {
  expect(await runUpload({ ...endpoint, bytes: 1_000_003 })).toBeGreaterThan(0);
});

it("times each request to each target, and keeps a failing one apart", async () => {
  const refusing = createServer((socket) => {
    socket.on("data", () => socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
    socket.on("error", () => socket.destroy());
  });
  await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
  const { port } = refusing.address() as AddressInfo;
  const [good, bad] = await runRequests({
    dialect: "ollama",
    targets: [
      { name: "good", ...endpoint },
      { name: "bad", port, fields: [] },
    ],
    orders: [
      [0, 1],
      [1, 0],
      [0, 1],
    ],
    stream: true,
    imageBytes: 0,
    pauseMs: 0,
  });
  expect(good?.firstByteMs).toHaveLength(3);
  expect(good?.failure).toBeUndefined();
  expect(bad?.failure).toBe("answered HTTP/1.1 502 Bad Gateway");
  await new Promise((resolve) => refusing.close(resolve));
});

it("says when each large request was on its way", async () => {
  const windows = await runBursts({
    ...endpoint,
    dialect: "ollama",
    imageBytes: 100_000,
    count: 2,
    pauseMs: 5,
  });
  expect(windows).toHaveLength(2);
  const [[from = 0, to = 0] = [], [nextFrom = 0] = []] = windows;
  expect(to).toBeGreaterThan(from);
  expect(nextFrom).toBeGreaterThanOrEqual(to + 4);
});

it("fails rather than measure a stream that was cut", async () => {
  const cutting = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", () =>
      socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    );
  });
  await new Promise<void>((resolve) => cutting.listen(0, "127.0.0.1", resolve));
  const { port } = cutting.address() as AddressInfo;
  const order = { chunkCount: 2, intervalMs: 1, streamCount: 1, skip: 0 };
  await expect(runStreams({ port, fields: [], dialect: "ollama", ...order })).rejects.toThrow(
    "closed in the middle of an answer",
  );
  await new Promise((resolve) => cutting.close(resolve));
});
