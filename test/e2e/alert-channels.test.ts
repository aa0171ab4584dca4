/** Alerts reach people, and a channel that fails is felt by nobody but whoever reads the health. */
import { afterEach, describe, expect, it } from "vitest";
import type { Health } from "../../src/types.ts";
import { keepingLog, startSink } from "../alerts/channels/support.ts";
import { createReplaySource, readRecordedRun } from "../../src/memory/replay.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const SECRET = "T0P-SECRET";

async function start(channels: object[]) {
  const log = keepingLog();
  const started = await startBehind(await startRawUpstream(() => {}), {
    settings: { alerts: { channels } },
    parts: { log },
  });
  const test = (body?: string, headers?: Record<string, string>) =>
    fetch(`${started.url}/plimsoll/api/alerts/test`, { method: "POST", body, headers });
  return { ...started, log, test };
}

it("a test goes through every channel and says for each how it went", async () => {
  const sink = await startSink();
  const { test } = await start([
    { type: "log" },
    { type: "webhook", name: "team", url: `${sink.url}/${SECRET}`, format: "discord" },
    { type: "ntfy", url: `${sink.url}/topic-${SECRET}`, token: SECRET },
    { type: "desktop" },
  ]);
  const answer = await test();
  expect(answer.status).toBe(200);
  const { test: results } = (await answer.json()) as { test: { channel: string; delivered: boolean }[] };
  expect(results.map(({ channel, delivered }) => [channel, delivered])).toEqual([
    ["log", true],
    ["team", true],
    ["ntfy", true],
    ["desktop", false],
  ]);
  expect(sink.received.map(({ url }) => url).toSorted()).toEqual(["/", `/${SECRET}`]);
  const one = (await (await test('{"channel":"team"}')).json()) as { test: unknown[] };
  expect(one.test).toHaveLength(1);
});

it.each([
  ['{"channel":"nobody"}', 404, /There are log/],
  ['{"chanel":"log"}', 400, /"channel"/],
  ["[]", 400, /"channel"/],
  ["{", 400, /"channel"/],
  [`"${"x".repeat(5000)}"`, 413, /bytes/],
])("refuses %.30j with a reason", async (body, status, message) => {
  const { test } = await start([{ type: "log" }]);
  const answer = await test(body);
  expect(answer.status).toBe(status);
  expect(((await answer.json()) as { error: { message: string } }).error.message).toMatch(message);
});

it("a foreign page cannot send one", async () => {
  const { test } = await start([{ type: "log" }]);
  expect((await test(undefined, { origin: "http://evil.example" })).status).toBe(403);
});

describe("a channel that fails", () => {
  it("is seen in the health, by name and without its address", async () => {
    const { url, test, log } = await start([
      { type: "webhook", url: `http://127.0.0.1:1/${SECRET}`, token: SECRET },
    ]);
    const results = await (await test()).text();
    const health = await (await fetch(`${url}/plimsoll/healthz`)).text();
    const status = await (await fetch(`${url}/plimsoll/api/status`)).text();
    expect(JSON.parse(health) as Health).toMatchObject({
      status: "degraded",
      channels: [{ channel: "webhook", state: "failing", problem: "cannot be reached (ECONNREFUSED)" }],
    });
    expect(results + health + status + log.lines.join()).not.toContain(SECRET);
  });
});

it("a machine that runs into swap: one message when it is raised, one when worse, before the first page is swapped", async () => {
  // A recorded ramp of 100 MiB/s, four times as fast; its first page is swapped out in second 27.3.
  const SPEED = 4;
  const startedMs = performance.now();
  const startedAt = Date.now();
  const monotonic = (): number => (performance.now() - startedMs) * SPEED;
  const now = (): number => Math.round(startedAt + monotonic());
  const sink = await startSink();
  const arrivedAtSeconds: number[] = [];
  const { samples } = readRecordedRun("test/fixtures/memory-runs/A4_ramp100_6.12_mglru.csv");
  await startBehind(await startRawUpstream(() => {}), {
    settings: {
      sampling: { intervalMs: 250 },
      alerts: { channels: [{ type: "webhook", url: sink.url }] },
    },
    parts: {
      now,
      monotonic,
      memorySource: () => createReplaySource({ samples, name: "ramp", now, monotonic }),
    },
  });
  const messages = () =>
    sink.received.map(({ body }) => JSON.parse(body) as { state: string; level: string; text: string });
  await waitFor(
    () => {
      while (arrivedAtSeconds.length < sink.received.length) {
        arrivedAtSeconds.push(monotonic() / 1000);
      }
      return messages().some(({ level }) => level === "swapping" || level === "thrashing");
    },
    { timeoutMs: 18_000 },
  );
  const said = messages();
  expect(said[0]).toMatchObject({ state: "raised" });
  expect(said[0]?.text).toMatch(/\w+/);
  expect(said.slice(1).every(({ state }) => state === "level-up")).toBe(true);
  expect(new Set(said.map(({ level }) => level)).size).toBe(said.length);
  expect(arrivedAtSeconds[0]).toBeLessThan(27.3);
}, 30_000);
