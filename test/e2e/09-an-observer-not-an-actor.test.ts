/** Promise 9. It never loads a model, never extends keep_alive, never changes a request. */
import { afterEach, expect, it } from "vitest";
import { startRawUpstream, type UpstreamConnection } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

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
