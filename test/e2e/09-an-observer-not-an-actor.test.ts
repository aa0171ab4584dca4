/** Promise 9. It never loads a model, never extends keep_alive, never changes a request. */
import { afterEach, expect, it } from "vitest";
import type { MemorySource } from "../../src/memory/sampler.ts";
import { connect } from "../support/rawClient.ts";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

it.each([
  ["without a word about the guard", {}],
  ["with the guard off", { guard: { mode: "off" } }],
  ["with the guard observing", { guard: { mode: "observe" } }],
  ["with the guard warning", { guard: { mode: "warn" } }],
])("%s no request is held back or changed, whatever memory is left", async (_name, settings) => {
  const upstream = await startRawUpstream((connection) => {
    void connection
      .until('end"}')
      .then(() => connection.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
  });
  const { port } = await startBehind(upstream, {
    settings,
    parts: { memorySource: () => exhaustedMemory() },
  });
  const client = await connect(port);
  const head =
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nX-Plimsoll-Override: allow\r\nContent-Length: 55\r\n\r\n";
  const body = '{"model":"m:70b","options":{"num_ctx":131072},"x":"end"}'.slice(-55);
  client.send(head + body.slice(0, 20));
  // The first bytes are on their way before the last ones have come.
  await waitFor(() => upstream.connections[0]?.received().includes(body.slice(0, 20)));
  client.send(body.slice(20));
  const answer = await client.until("{}");
  expect(answer).not.toMatch(/x-plimsoll/i);
  expect(upstream.connections[0]?.received().toString()).toBe(
    (head + body).replace("Host: localhost", `Host: 127.0.0.1:${upstream.port}`),
  );
});

function exhaustedMemory(): MemorySource {
  const gauges = {
    totalBytes: 2 ** 34,
    availableBytes: 2 ** 20,
    headroomBytes: -(2 ** 28),
    floorBytes: 2 ** 28,
  };
  return {
    state: "on",
    read: () => ({ takenAt: Date.now(), ...gauges, gpus: [], runners: [], problems: [] }),
    runners: () => [],
    rescan() {},
    problems: () => [],
    setDeviceInUse() {},
    close: async () => {},
  };
}

/** What only looks. `show` reads a file's metadata; none of these starts or keeps a runner. */
const HARMLESS = /^(GET \/api\/(ps|version|tags)|POST \/api\/show|GET \/plimsoll\/healthz) /;

it("asks Ollama nothing by itself that could load a model or keep it loaded", async () => {
  const models = JSON.stringify({
    models: [
      { name: "m:latest", model: "m:latest", size: 5, digest: "d", size_vram: 0, context_length: 4096 },
    ],
  });
  const answer = (connection: UpstreamConnection): void => {
    void connection.until("\r\n\r\n").then((head) => {
      const body = head.includes("/api/ps") ? models : '{"version":"0.33.0","modelfile":"FROM x"}';
      connection.socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  };
  const upstream = await startRawUpstream(answer, answer);
  const { url } = await startBehind(upstream);
  await waitFor(() =>
    upstream.ownQuestions.some((connection) => connection.received().includes("/api/show")),
  );
  await fetch(`${url}/plimsoll/api/status`);
  await fetch(`${url}/plimsoll/api/models`);
  await fetch(`${url}/plimsoll/readyz`);
  const asked = [...upstream.ownQuestions, ...upstream.connections].flatMap(
    (connection) =>
      connection
        .received()
        .toString()
        .match(/^(GET|POST|HEAD|DELETE|PUT) \S+ /gm) ?? [],
  );
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.filter((line) => !HARMLESS.test(line))).toEqual([]);
});
