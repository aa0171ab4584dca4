import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Override, Script } from "../../src/demo/server/script.ts";
import { createSimulatedOllama, type SimulatedOllama } from "../../src/demo/simulatedOllama.ts";
import { readFileSync } from "node:fs";
import { openRequest, rawRequest, type RawAnswer } from "./support/rawClient.ts";
import { bodyShape } from "./support/shape.ts";

const MODEL = "gemma3:270m";
const BODIES: Record<string, object> = {
  "/api/generate": { model: MODEL, prompt: "hi" },
  "/api/chat": { model: MODEL, messages: [{ role: "user", content: "hi" }] },
  "/v1/chat/completions": { model: MODEL, messages: [{ role: "user", content: "hi" }], stream: true },
  "/v1/responses": { model: MODEL, input: "hi", stream: true },
  "/v1/messages": { model: MODEL, max_tokens: 50, messages: [{ role: "user", content: "hi" }], stream: true },
};
const BROKEN = JSON.parse(
  readFileSync(new URL("../fixtures/demo/broken.json", import.meta.url), "utf8"),
) as Record<string, string>;

let ollama: SimulatedOllama;
let port = 0;

beforeAll(async () => {
  ollama = createSimulatedOllama({ instant: true, models: [MODEL] });
  ({ port } = await ollama.listen());
});
afterAll(async () => await ollama.close());

async function ask(
  override: Override,
  about: { target?: string; more?: object; when?: Script[number]["when"] } = {},
): Promise<RawAnswer> {
  const { target = "/api/generate", more = {}, when } = about;
  ollama.setScript([when === undefined ? { override } : { when, override }]);
  return await rawRequest({ port, target, body: JSON.stringify({ ...BODIES[target], ...more }) });
}
const lastOutcome = (): string | undefined => ollama.requests().at(-1)?.outcome;

describe("a script", () => {
  it("decides how many chunks there are, and how far apart in real time", async () => {
    const answer = await ask({ chunkCount: 4, delayBetweenChunksMs: 30, delayBeforeHeadersMs: 60 });
    expect(answer.chunks).toHaveLength(5);
    expect(answer.readMs[0]).toBeGreaterThan(55);
    const gaps = answer.readMs.slice(1).map((time, index) => time - (answer.readMs[index] ?? 0));
    expect(gaps).toHaveLength(4);
    expect(Math.min(...gaps)).toBeGreaterThan(20);
  });

  it.each([1, 3, 64, [1, 2, 500]])("cuts a stream's bytes every %o", async (cutBytes) => {
    const plain = (await ask({ chunkCount: 3 })).chunks.join("");
    const answer = await ask({ chunkCount: 3, cutBytes });
    const sizes = typeof cutBytes === "number" ? [cutBytes] : cutBytes;
    const lengths = answer.chunks.map((chunk) => Buffer.byteLength(chunk));
    expect(lengths.slice(0, -1)).toEqual(lengths.slice(0, -1).map((_, index) => sizes[index % sizes.length]));
    expect(bodyShape([answer.chunks.join("")])).toEqual(bodyShape([plain]));
  });

  it("cuts a whole answer too, under the same length", async () => {
    const answer = await ask({ cutBytes: 10, delayBetweenChunksMs: 1 }, { more: { stream: false } });
    expect(answer.chunked).toBe(false);
    expect(answer.readMs.length).toBeGreaterThan(5);
    expect(JSON.parse(answer.chunks.join(""))).toMatchObject({ done: true });
  });

  it("answers with its own status, headers and body, and runs no model", async () => {
    const body = '{"error":"busy"}';
    const answer = await ask({
      answer: { status: 503, headers: [["Retry-After", "3"]], contentType: "text/x", body },
    });
    expect([answer.status, answer.chunks]).toEqual([503, [body]]);
    expect(answer.headers.map(([name]) => name)).toEqual([
      "Content-Type",
      "Retry-After",
      "Date",
      "Content-Length",
    ]);
  });

  it("can answer before the body has come", async () => {
    ollama.setScript([{ override: { answer: { status: 413, early: true } } }]);
    const client = openRequest({ port, target: "/api/chat", headers: { expect: "100-continue" } });
    const first = await new Promise<string>((resolve) =>
      client.once("data", (bytes) => resolve(String(bytes))),
    );
    client.destroy();
    expect(first).toMatch(/^HTTP\/1\.1 413 /u);
  });

  it.each([
    ["connect", 0, 0],
    ["headers", 200, 0],
    ["first-chunk", 200, 1],
    ["middle", 200, 5],
    ["before-last", 200, 10],
  ] as const)("ends the connection at %s", async (die, status, chunks) => {
    const answer = await ask({ die, chunkCount: 10 });
    expect([answer.status, answer.chunks.length]).toEqual([status, chunks]);
    expect([answer.ended, answer.complete, lastOutcome()]).toEqual(["fin", false, "cut"]);
  });

  it.each(["connect", "middle"] as const)("resets it at %s when told to", async (die) => {
    const answer = await ask({ die, reset: true, chunkCount: 4 });
    expect([answer.ended, answer.complete]).toEqual(["reset", false]);
  });

  it.each(["first-chunk", "middle", "before-last"] as const)(
    "leaves a whole answer short at %s",
    async (die) => {
      const answer = await ask({ die }, { more: { stream: false } });
      const length = Number(answer.headers.find(([name]) => name === "Content-Length")?.[1]);
      const received = Buffer.byteLength(answer.chunks.join(""));
      const expected = { "first-chunk": 1, middle: Math.floor(length / 2), "before-last": length - 1 }[die];
      expect([answer.complete, received]).toEqual([false, expected]);
    },
  );

  it.each(["before-headers", "after-first-chunk"] as const)(
    "hangs %s until the client leaves",
    async (hang) => {
      ollama.setScript([{ override: { hang } }]);
      const client = openRequest({ port, target: "/api/chat", body: JSON.stringify(BODIES["/api/chat"]) });
      let received = "";
      client.on("data", (bytes) => (received += String(bytes)));
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(received.split("\n{").length - 1).toBe(hang === "before-headers" ? 0 : 1);
      client.end();
      await new Promise((resolve) => client.once("close", resolve));
      expect(lastOutcome()).toBe("left");
    },
  );

  it.each(["/api/generate", "/api/chat", "/v1/chat/completions"])(
    "lets the runner fail in mid-answer at %s, as recorded",
    async (target) => {
      const message = "an error was encountered while running the model: unexpected EOF";
      const answer = await ask({ failAfterChunks: { chunks: 3, message } }, { target });
      expect(answer.complete).toBe(true);
      expect(answer.chunks).toHaveLength(4);
      expect(bodyShape(answer.chunks.slice(-1))).toEqual(bodyShape([BROKEN[target] ?? ""]));
      if (target.startsWith("/api")) expect(answer.chunks.at(-1)).toBe(BROKEN[target]);
    },
  );

  it.each(["/v1/messages", "/v1/responses"])("then just stops at %s, as recorded", async (target) => {
    const answer = await ask({ failAfterChunks: { chunks: 1, message: "gone" } }, { target });
    expect(answer.complete).toBe(true);
    expect(bodyShape(answer.chunks.slice(-1))).toEqual(bodyShape([BROKEN[target] ?? ""]));
  });

  it("turns the same failure into a 500 when nothing has been sent", async () => {
    const message = "an error was encountered while running the model: unexpected EOF";
    const answer = await ask({ failAfterChunks: { chunks: 3, message } }, { more: { stream: false } });
    expect([answer.status, answer.chunks.join("")]).toEqual([500, BROKEN["/api/generate whole"]]);
  });

  it.each(Object.keys(BODIES))("leaves the last event out at %s", async (target) => {
    const whole = await ask({ chunkCount: 3 }, { target });
    const answer = await ask({ chunkCount: 3, withoutFinal: true }, { target });
    const ends = /"done":true|\[DONE\]|message_stop|response\.completed/u;
    expect(answer.complete).toBe(true);
    expect(whole.chunks.join("")).toMatch(ends);
    expect(answer.chunks.join("")).not.toMatch(ends);
    expect(answer.chunks.length).toBeLessThan(whole.chunks.length);
  });

  it.each([
    [3, "/api/generate", "unfinished whole"],
    [0, "/api/generate", "unfinished nothing whole"],
    [3, "/v1/chat/completions", "unfinished v1 whole"],
  ])("ends a whole answer of %i tokens at %s as recorded", async (chunkCount, target, name) => {
    const answer = await ask({ chunkCount, withoutFinal: true }, { target, more: { stream: false } });
    expect(answer.status).toBe(200);
    expect(bodyShape(answer.chunks)).toEqual(bodyShape([BROKEN[name] ?? ""]));
    if (chunkCount === 0) expect(answer.chunks.join("")).toBe(BROKEN[name]);
  });

  it("answers a stream with nothing at all", async () => {
    const answer = await ask({ emptyBody: true });
    expect([answer.status, answer.chunks, answer.chunked, answer.complete]).toEqual([200, [], true, true]);
  });

  it("says one huge line", async () => {
    const answer = await ask({ chunkCount: 3, hugeLineBytes: 8 * 2 ** 20 });
    expect(answer.chunks.map((chunk) => chunk.length > 8 * 2 ** 20)).toEqual([false, true, false, false]);
    expect(JSON.parse(answer.chunks[1] ?? "")).toMatchObject({ done: false });
  });

  it("sends trailers after the body and informational answers before it", async () => {
    const answer = await ask({
      chunkCount: 1,
      trailers: [["X-Checksum", "abc"]],
      interim: [{ status: 103, headers: [["Link", "</a>; rel=preload"]] }, { status: 102 }],
    });
    expect(answer.interim).toEqual([103, 102]);
    expect(answer.headers.find(([name]) => name === "Trailer")?.[1]).toBe("X-Checksum");
    expect(answer.trailers).toEqual([["X-Checksum", "abc"]]);
  });
});

describe("rules", () => {
  const status = async (target: string, more = {}): Promise<number> =>
    (await rawRequest({ port, target, body: JSON.stringify({ ...BODIES[target], ...more }) })).status;

  it("apply to the request that fits them, and the first that does decides", async () => {
    const teapot = (status: number): Override => ({ answer: { status } });
    ollama.setScript([
      { when: { path: "/api/chat", model: "other" }, override: teapot(410) },
      { when: { path: "/api/chat" }, override: teapot(411) },
      { when: { path: /^\/v1\//u, method: "POST", nth: 2 }, override: teapot(412) },
    ]);
    expect(await status("/api/chat", { model: "other" })).toBe(410);
    expect(await status("/api/chat")).toBe(411);
    expect(await status("/v1/chat/completions")).toBe(200);
    expect(await status("/v1/responses")).toBe(412);
    expect(await status("/v1/messages")).toBe(200);
    expect(await status("/api/generate")).toBe(200);
  });
});
