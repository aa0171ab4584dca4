import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { LiveOptions } from "../../src/dashboard/live.ts";
import type { Exchange, ServerMessage } from "../../src/types.ts";
import type { LiveServer, Viewer } from "./liveServer.ts";
import { startLive } from "./liveServer.ts";
import { aLiveExchange, anAccess, anExchange, aSample, aSnapshot, fixedNow } from "./support.ts";

let server: LiveServer | undefined;
const start = async (overrides: Partial<LiveOptions> = {}): Promise<LiveServer> => {
  server = await startLive(overrides);
  return server;
};
afterEach(() => server?.close());

const ofType = (type: ServerMessage["type"]) => (message: ServerMessage) => message.type === type;
const exchangesIn = (messages: ServerMessage[]): Exchange[] =>
  messages.flatMap((message) => (message.type === "exchange" ? [message.exchange] : []));

describe("a viewer", () => {
  it("gets a snapshot first, then every kind of change under its own name", async () => {
    const { live, view } = await start();
    const viewer = await view();
    await viewer.message(ofType("snapshot"));
    const load = { id: "load-1", startedAt: 1, model: "gemma3:4b", cause: "first" } as const;
    live.publishSample(aSample());
    live.publishLoad(load);
    live.publishExchange(anExchange());
    live.publishRemoved("exchange", "exchange-1");
    await viewer.message(ofType("removed"));
    expect(viewer.received).toEqual([
      { type: "snapshot", snapshot: aSnapshot() },
      { type: "sample", sample: aSample() },
      { type: "load", load },
      { type: "exchange", exchange: anExchange() },
      { type: "removed", kind: "exchange", id: "exchange-1" },
    ]);
  });

  it("gets the last of many updates of one exchange, and the end at once", async () => {
    const { live, view } = await start({ updateIntervalMs: 200 });
    const viewer = await view();
    for (let count = 1; count <= 100; count += 1) live.publishExchange(aLiveExchange({ chunkCount: count }));
    await viewer.message((message) => exchangesIn([message]).some((exchange) => exchange.chunkCount === 100));
    expect(exchangesIn(viewer.received).map((exchange) => exchange.chunkCount)).toEqual([1, 100]);
    live.publishExchange(aLiveExchange({ chunkCount: 101 }));
    live.publishExchange(anExchange({ chunkCount: 102 }));
    await sleep(300);
    // Nothing of 101 may follow the end, or the exchange would come back to life.
    expect(exchangesIn(viewer.received).map((exchange) => exchange.chunkCount)).toEqual([1, 100, 102]);
  });

  it("gets one new snapshot for many refreshes in a row", async () => {
    const { live, view } = await start({ updateIntervalMs: 100 });
    const viewer = await view();
    for (let count = 0; count < 50; count += 1) live.refresh();
    await sleep(250);
    expect(viewer.received.filter(ofType("snapshot"))).toHaveLength(3);
  });

  it("is sent nothing while its page is hidden, and a snapshot when it is seen again", async () => {
    const { live, view } = await start();
    const viewer = await view();
    await viewer.message(ofType("snapshot"));
    await say(viewer, '{"type":"pause"}');
    live.publishSample(aSample({ takenAt: 1 }));
    live.refresh();
    await sleep(100);
    expect(viewer.received).toHaveLength(1);
    await say(viewer, '{"type":"resume"}');
    live.publishSample(aSample({ takenAt: 2 }));
    await viewer.message(ofType("sample"));
    expect(viewer.received.map((message) => message.type)).toEqual(["snapshot", "snapshot", "sample"]);
  });

  it.each(["garbage", "null", '{"type":"resume"}', '{"type":5}', "[]"])(
    "may say %s without effect",
    async (text) => {
      const { live, view } = await start();
      const viewer = await view();
      await viewer.message(ofType("snapshot"));
      viewer.socket.send(text);
      viewer.socket.send(Buffer.from([1, 2, 3]));
      await sleep(30);
      live.publishSample(aSample());
      await viewer.message(ofType("sample"));
      expect(viewer.received).toHaveLength(2);
    },
  );

  it("that says more than a kilobyte is closed, the others stay", async () => {
    const { live, view } = await start();
    const loud = await view();
    const quiet = await view();
    loud.socket.send("x".repeat(1025));
    expect(await loud.closed).toBe(1009);
    await vi.waitFor(() => expect(live.viewerCount()).toBe(1));
    live.publishSample(aSample());
    await quiet.message(ofType("sample"));
  });

  it("that answers no ping is closed", async () => {
    const { live, view, viewWithoutReading } = await start({ pingIntervalMs: 60 });
    await view();
    await viewWithoutReading();
    expect(live.viewerCount()).toBe(2);
    await vi.waitFor(() => expect(live.viewerCount()).toBe(1), { timeout: 3000 });
    await sleep(300);
    expect(live.viewerCount()).toBe(1);
  });

  it("is told to come back later when the program stops", async () => {
    const { live, view } = await start();
    const viewer = await view();
    live.close();
    expect(await viewer.closed).toBe(1001);
  });
});

describe("a viewer that reads too slowly", () => {
  it("costs bounded memory, holds nobody up, and gets one snapshot instead of the backlog", async () => {
    let made = 0;
    const snapshot = () => aSnapshot({ takenAt: (made += 1) });
    const { live, view, viewWithoutReading } = await start({ snapshot });
    const slow = await viewWithoutReading();
    const quick = await view();
    const large = anExchange({ path: "x".repeat(100_000) });
    for (let count = 0; count < 400; count += 1) {
      const id = `exchange-${count}`;
      live.publishExchange({ ...large, id });
      // The quick one is as quick as it says: half a megabyte and it has read it.
      if (count % 5 === 4) {
        await quick.message((message) => exchangesIn([message]).some((exchange) => exchange.id === id));
      }
    }
    expect(exchangesIn(quick.received)).toHaveLength(400);

    const bytes = await readAll(slow);
    const complete = 400 * 100_000;
    expect(bytes.length).toBeLessThan(complete / 2);
    // The last it reads is the state as it is now, not a piece of the past.
    const snapshots = [
      ...bytes.toString("latin1").matchAll(/"type":"snapshot","snapshot":\{"takenAt":(\d+)/g),
    ];
    expect(Number(snapshots.at(-1)?.[1])).toBe(made);
    expect(made).toBeGreaterThan(2);
  });
});

describe("the handshake", () => {
  it("is for one path only", async () => {
    const { refusal, view } = await start();
    expect(await refusal("/plimsoll/live/")).toBe(404);
    expect(await refusal("/api/chat")).toBe(404);
    await view();
  });

  it("is refused to a foreign origin and granted to our own", async () => {
    const { refusal, view, host } = await start();
    expect(await refusal("/plimsoll/live", { Origin: "https://evil.example" })).toBe(403);
    await view({ Origin: `http://${host}` });
  });

  it("needs the token where one is required, as header or cookie", async () => {
    const access = anAccess({ tokenRequired: true, token: "s3cret" });
    const { refusal, view } = await start({ access });
    expect(await refusal("/plimsoll/live")).toBe(401);
    await view({ Authorization: "Bearer s3cret" });
    const login = access.logIn("s3cret", "127.0.0.1");
    await view({ Cookie: "cookie" in login ? login.cookie : "" });
  });

  it("is refused to the thirty-third viewer until one leaves", async () => {
    const { refusal, view, live } = await start();
    const viewers = await Promise.all(Array.from({ length: 32 }, () => view()));
    expect(await refusal("/plimsoll/live")).toBe(503);
    viewers[0]?.socket.close();
    await vi.waitFor(() => expect(live.viewerCount()).toBe(31));
    await view();
  });
});

describe("a snapshot that cannot be made", () => {
  it("is logged, and the viewer gets one as soon as it can", async () => {
    let broken = true;
    const snapshot = () => {
      if (broken) throw new Error("not now");
      return aSnapshot({ takenAt: fixedNow });
    };
    const { live, view, logged } = await start({ snapshot });
    const viewer = await view();
    live.refresh();
    await sleep(100);
    expect(viewer.received).toEqual([]);
    expect(logged.length).toBeGreaterThan(0);
    broken = false;
    live.publishSample(aSample());
    await viewer.message(ofType("snapshot"));
  });
});

/** Resolves when the server has dealt with it: it answers a ping only after what came before. */
async function say(viewer: Viewer, data: string | Buffer): Promise<void> {
  viewer.socket.send(data);
  viewer.socket.ping();
  await once(viewer.socket, "pong");
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let lastAt = performance.now();
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    lastAt = performance.now();
  });
  socket.resume();
  while (performance.now() - lastAt < 500) await sleep(50);
  socket.destroy();
  return Buffer.concat(chunks);
}
