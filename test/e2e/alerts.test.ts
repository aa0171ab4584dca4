/** The watch over memory in a running Plimsoll, with a recorded group that really swapped, ten times as fast as it was. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";

import { createClock } from "../../src/demo/clock.ts";
import { createReplaySource, readRecordedRun } from "../../src/memory/replay.ts";
import type { Episode, ServerMessage, Snapshot } from "../../src/types.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const run = fileURLToPath(new URL("../fixtures/memory-runs/D1_cg_high_6.12.csv", import.meta.url));

async function startOnRecording() {
  const clock = createClock({ speed: 10 });
  const clocks = { now: () => Math.round(clock.now()), monotonic: clock.monotonic };
  const { samples } = readRecordedRun(run);
  return startBehind(await startRawUpstream(() => {}), {
    settings: { sampling: { intervalMs: 250 } },
    parts: { ...clocks, memorySource: () => createReplaySource({ samples, name: "D1", ...clocks }) },
  });
}

const json = async <Answer>(url: string): Promise<Answer> => (await (await fetch(url)).json()) as Answer;

it("warns before the first swapped page, on the page and over HTTP, and knows its lead afterwards", async () => {
  const { url, store } = await startOnRecording();
  const messages: ServerMessage[] = [];
  const page = new WebSocket(`${url.replace("http", "ws")}/plimsoll/live`);
  page.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as ServerMessage));
  await once(page, "open");
  const alerts = (): Episode[] => messages.flatMap((each) => (each.type === "alert" ? [each.alert] : []));
  try {
    await waitFor(() => alerts().some(({ level }) => level === "warn"), { timeoutMs: 10_000 });
    const status = await json<Snapshot>(`${url}/plimsoll/api/status`);
    expect(status.episodes[0]).toMatchObject({ level: "warn", kind: "memory" });
    expect(status.sample?.swapOutBytesPerSecond ?? 0).toBe(0);
    expect(status.verdict.level).toBe("warn");
    expect(status.verdict.text).toMatch(/at this pace in about \d+ s/);
    expect(status.forecast?.points.map(({ atSeconds }) => atSeconds)).toContain(30);
    expect(messages.some((each) => each.type === "sample" && each.forecast !== undefined)).toBe(true);

    await waitFor(() => alerts().some(({ outcome }) => outcome === "hit"), { timeoutMs: 10_000 });
    const { alerts: listed } = await json<{ alerts: Episode[] }>(`${url}/plimsoll/api/alerts`);
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ level: "swapping", outcome: "hit" });
    expect(listed[0]?.leadSeconds).toBeGreaterThanOrEqual(10);
    const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
    expect(metrics).toMatch(/\nplimsoll_alert_level 4\n/);
    const table = await (await fetch(`${url}/plimsoll/api/alerts?format=csv`)).text();
    expect(table.split("\r\n")[0]).toContain("leadSeconds");
    const { episodes } = await store.episodes({});
    expect(episodes[0]?.id).toBe(listed[0]?.id);
  } finally {
    page.close();
  }
});

it("plays a drill on the page, once at a time, without touching the record", async () => {
  const { url, store } = await startBehind(await startRawUpstream(() => {}));
  const drill = (body?: string): Promise<Response> =>
    fetch(`${url}/plimsoll/api/drill`, { method: "POST", ...(body === undefined ? {} : { body }) });
  expect((await drill('{"speed":0}')).status).toBe(400);
  expect((await drill("nonsense")).status).toBe(400);
  expect((await drill(" ".repeat(5000))).status).toBe(413);
  const started = await drill('{"speed":100}');
  expect(started.status).toBe(202);
  expect(await started.json()).toMatchObject({ drill: { speed: 100 } });
  expect((await drill()).status).toBe(409);
  await waitFor(async () => {
    const { episodes } = await json<Snapshot>(`${url}/plimsoll/api/status`);
    return episodes.some(({ drill, level }) => drill === true && level === "swapping");
  });
  expect((await store.episodes({})).episodes).toEqual([]);
  const { verdict } = await json<Snapshot>(`${url}/plimsoll/api/status`);
  expect(verdict.level).toBe("unknown");
});

it("takes a drill without a body, and refuses one from another page", async () => {
  const { url } = await startBehind(await startRawUpstream(() => {}));
  const foreign = await fetch(`${url}/plimsoll/api/drill`, {
    method: "POST",
    headers: { origin: "http://evil.example" },
  });
  expect(foreign.status).toBe(403);
  expect((await fetch(`${url}/plimsoll/api/drill`, { method: "POST" })).status).toBe(202);
});
