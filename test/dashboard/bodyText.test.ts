/** Bodies of questions, as a real server gets them: with a length, without one, and longer than they may be. */
import http from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { createSimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { cleanUp, onCleanUp, startPlimsoll } from "../support/startPlimsoll.ts";
import { errorOf } from "./support.ts";

afterAll(cleanUp);

const ollama = createSimulatedOllama({});
const upstream = await ollama.listen();
onCleanUp(() => ollama.close());
const { url } = await startPlimsoll(upstream.url);

/** On a connection of its own: one that carried too much is closed. */
function post(
  path: string,
  pieces: readonly string[],
  how: "with a length" | "in pieces",
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(pieces.join(""));
    const headers = how === "in pieces" ? {} : { "content-length": length };
    const request = http.request(`${url}/plimsoll/${path}`, { method: "POST", agent: false, headers });
    request.on("error", reject);
    request.on("response", (answer) => {
      text(answer).then((body) => resolve(new Response(body, { status: answer.statusCode ?? 0 })), reject);
    });
    for (const piece of pieces) request.write(piece);
    request.end();
  });
}

describe.each([
  ["api/predict", '{"model":"gemma3:270m","contextLength":8192}', 200],
  ["api/predict/table", '{"model":"gemma3:270m","contexts":[2048,4096]}', 200],
  ["api/forget", '{"conversationId":"none"}', 200],
  ["api/alerts/test", '{"channel":"nobody"}', 404],
  ["api/drill", '{"speed":1000}', 400],
])("POST %s", (path, body, status) => {
  it("is read alike with a length and without one", async () => {
    const whole = await post(path, [body], "with a length");
    const pieces = await post(path, [body.slice(0, 3), body.slice(3)], "in pieces");
    expect([whole.status, pieces.status]).toEqual([status, status]);
    expect(await pieces.text()).toBe(await whole.text());
  });

  it("that is no JSON is refused with what to send", async () => {
    const answer = await post(path, ["neither this", " nor that"], "in pieces");
    expect(answer.status).toBe(400);
    expect((await errorOf(answer)).code).toBe("bad-parameter");
  });

  it("that is too long is refused, whether it says so or not", async () => {
    const long = "x".repeat(path.includes("predict") ? 33 * 1024 * 1024 : 5000);
    const answers = [await post(path, [long], "with a length"), await post(path, [long], "in pieces")];
    for (const answer of answers) {
      expect(answer.status).toBe(413);
      expect((await errorOf(answer)).code).toBe("too-large");
    }
  });
});
