/** Promise 5. If recording, sampling, predicting, the disk or the page breaks, chatting goes on, and the loss is counted. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Store } from "../../src/store/api.ts";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const LINE = '{"model":"m","response":"hello","done":true,"prompt_eval_count":4}\n';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${LINE.length}\r\n\r\n${LINE}`;

async function chat(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/generate`, { method: "POST", body: '{"model":"m","prompt":"x"}' });
  return answer.text();
}

async function health(url: string) {
  return (await (await fetch(`${url}/plimsoll/healthz`)).json()) as {
    status: string;
    recorder: { state: string; problem?: string };
    sampler: { problems: string[] };
  };
}

function brokenStore(): Store {
  const fail = (): never => {
    throw new Error("the recorder is broken");
  };
  return {
    health: () => ({ state: "off", pending: 0, dropped: 0, problem: "broken" }),
    saveExchange: fail,
    saveSample: fail,
    saveLoad: fail,
    saveEpisode: fail,
    saveConversation: fail,
    exchanges: fail,
    exchange: fail,
    samples: fail,
    loads: fail,
    episodes: fail,
    conversations: fail,
    conversation: fail,
    recentConversations: fail,
    moveExchange: fail,
    habits: fail,
    forget: fail,
    setting: fail,
    saveSetting: fail,
    flush: async () => true,
    close: async () => {},
  };
}

it("goes on chatting when the recorder throws at every call, and counts it", async () => {
  const { url } = await startBehind(await startRawUpstream(answering(ANSWER)), {
    parts: { store: brokenStore() },
  });
  expect(await chat(url)).toContain("hello");
  expect(await chat(url)).toContain("hello");
  expect((await health(url)).status).toBe("degraded");
  const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
  expect(metrics).toMatch(/plimsoll_observer_failures_total\{[^}]*recorder[^}]*\} 1/);
});

it("goes on chatting when memory cannot be read, and says so", async () => {
  const { url } = await startBehind(await startRawUpstream(answering(ANSWER)), {
    parts: {
      memorySource: () => ({
        state: "on",
        read: () => {
          throw new Error("no /proc here");
        },
        runners: () => {
          throw new Error("no /proc here");
        },
        rescan: () => {
          throw new Error("no /proc here");
        },
        problems: () => [],
        setDeviceInUse: () => {},
        close: async () => {},
      }),
    },
  });
  expect(await chat(url)).toContain("hello");
  expect((await health(url)).sampler.problems.join()).toContain("no /proc here");
});

it("goes on chatting without a usable data directory, and says why", async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "plimsoll-"));
  onCleanUp(() => rm(directory, { recursive: true }));
  const file = path.join(directory, "a-file");
  await writeFile(file, "");
  const { url } = await startBehind(await startRawUpstream(answering(ANSWER)), {
    dataDir: path.join(file, "data"),
  });
  expect(await chat(url)).toContain("hello");
  const { recorder } = await health(url);
  expect(recorder.state).toBe("off");
  expect(recorder.problem).toContain(file);
});

it("forwards answers that no reader understands", async () => {
  const rubbish = '{"done":tru\u0000e,[[[{"error":\n\n{"model":{"a":[1,';
  const { url, store } = await startBehind(
    await startRawUpstream(
      answering(
        `HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ${rubbish.length}\r\n\r\n${rubbish}`,
      ),
    ),
  );
  expect(await chat(url)).toBe(rubbish);
  expect((await store.exchanges({})).exchanges).toHaveLength(1);
});

it.each([0, 400_000])(
  "ends the exchange of a request that is nothing like one, %d bytes long",
  async (length) => {
    const upstream = await startRawUpstream((connection) => {
      void connection.until("]}]}").then(() => connection.socket.write(ANSWER));
    });
    const { url, store } = await startBehind(upstream);
    const answer = await fetch(`${url}/api/chat`, {
      method: "POST",
      body: `{"model":"m","messages":[{"role":{"toString":1},"content":[{"type":{"toString":1}},"${"x".repeat(length)}"]}]}`,
    });
    expect(await answer.text()).toBe(LINE);
    await waitFor(async () => (await store.exchanges({})).exchanges[0]?.state.phase === "completed");
    const { exchanges } = await store.exchanges({});
    expect(exchanges.map(({ model }) => model)).toEqual(["m"]);
  },
);

it("takes the model from the answer where the request could not be read whole", async () => {
  const { url, store } = await startBehind(await startRawUpstream(answering(ANSWER)));
  const client = await connect(Number(new URL(url).port));
  client.send('POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"model":');
  await client.until("done");
  await waitFor(async () => (await store.exchanges({})).exchanges[0]?.state.phase === "completed");
  const { exchanges } = await store.exchanges({});
  expect(exchanges.map(({ model }) => model)).toEqual(["m"]);
  client.socket.destroy();
});
