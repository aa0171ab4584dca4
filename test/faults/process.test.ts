/** The process killed, suspended, or living through a clock that jumps. */
import { openReader } from "../../src/store/readOnly.ts";
import { afterEach, expect, it } from "vitest";
import { plimsoll, temporaryFolder, type Running } from "../cli/support/program.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";
import { chat, chats, startStreamer } from "./support/chat.ts";

afterEach(cleanUp);

const DAY_MS = 86_400_000;
const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER };

async function serving(upstreamUrl: string, dataDir: string): Promise<Running & { url: string }> {
  const running = plimsoll(["--listen", "127.0.0.1:0", "--upstream", upstreamUrl, "--data-dir", dataDir]);
  await waitFor(() => running.err().includes("record"), { timeoutMs: 15_000 });
  return { ...running, url: /clients +(http:\S+)/.exec(running.err())?.[1] ?? "" };
}

async function aStreamer(tokenMs?: number) {
  const upstream = await startStreamer(tokenMs);
  onCleanUp(() => upstream.close());
  return upstream;
}

it("kill -9: every exchange that ended a second before is on disk, the one in progress is interrupted (promise 8)", async () => {
  const dataDir = await temporaryFolder();
  const quick = await aStreamer();
  const first = await serving(quick.url, dataDir);
  await chats(first.url, 200);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const hanging = fetch(`${first.url}/api/chat`, { method: "POST", body: "{}" }).catch(() => {});
  await waitFor(() => quick.connections.some((one) => one.received().includes("/api/chat")));
  await new Promise((resolve) => setTimeout(resolve, 600));
  first.child.kill("SIGKILL");
  await first.ended;
  await hanging;

  const second = await serving(quick.url, dataDir);
  await chat(second.url);
  second.child.kill("SIGTERM");
  await second.ended;
  const reader = openReader(dataDir, 9999);
  const rows = [...reader.exchanges(ALWAYS)];
  reader.close();
  expect(
    rows.filter(({ path, state }) => path === "/api/generate" && state.phase === "completed"),
  ).toHaveLength(201);
  expect(rows.find(({ path }) => path === "/api/chat")?.state).toMatchObject({
    phase: "failed",
    error: { code: "interrupted" },
  });
});

it.skipIf(process.platform === "win32")(
  "suspended in mid-stream: the answer goes on where it stopped, nothing is cut (promise 4)",
  async () => {
    const upstream = await aStreamer(400);
    const running = await serving(upstream.url, ":memory:");
    const answer = chat(running.url);
    await waitFor(() => upstream.connections.length > 0);
    running.child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    running.child.kill("SIGCONT");
    await answer;
    const status = (await (await fetch(`${running.url}/plimsoll/api/status`)).json()) as {
      sample?: Record<string, unknown>;
    };
    for (const [name, value] of Object.entries(status.sample ?? {})) {
      if (typeof value === "number") expect(value, name).not.toBeNaN();
    }
  },
);

it.each([
  ["forward", DAY_MS],
  ["back", -DAY_MS],
])(
  "clock a day %s in mid-stream: no duration is negative or absurd, lists keep their order (promise 10)",
  async (_way, jumpMs) => {
    let offsetMs = 0;
    const { url, store } = await startBehind(await startStreamer(60), {
      parts: { now: () => Date.now() + offsetMs },
    });
    await chat(url);
    const across = chat(url);
    setTimeout(() => (offsetMs = jumpMs), 60);
    await across;
    await chat(url);
    const answer = await fetch(`${url}/plimsoll/api/exchanges`);
    const { exchanges } = (await answer.json()) as {
      exchanges: { startedAt: number; usage?: Record<string, number>; state: { endedAt: number } }[];
    };
    expect(exchanges).toHaveLength(3);
    // Newest first by order of arrival: the jump reorders nothing.
    expect(Math.sign((exchanges[0]?.startedAt ?? 0) - (exchanges[2]?.startedAt ?? 0))).toBe(
      Math.sign(jumpMs),
    );
    for (const { usage = {} } of exchanges) {
      for (const [name, value] of Object.entries(usage).filter(([key]) => key.endsWith("Ms"))) {
        expect(value, name).toBeGreaterThanOrEqual(0);
        expect(value, name).toBeLessThan(60_000);
      }
    }
    expect(store.health().dropped).toBe(0);
    const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
    const seconds = /plimsoll_request_duration_seconds_sum\{[^}]*\} (\S+)/.exec(metrics)?.[1];
    expect(Number(seconds ?? 0)).toBeGreaterThanOrEqual(0);
    expect(Number(seconds ?? 0)).toBeLessThan(60);
  },
);
