/** Whatever is sent is forwarded; what can be followed is, what cannot is left alone, with no effect on the exchange. */
import { afterEach, expect, it } from "vitest";
import type { Conversation, Exchange } from "../../src/types.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { waitFor } from "../support/waitFor.ts";

afterEach(cleanUp);

const LAST =
  '{"model":"m","message":{"role":"assistant","content":"ok"},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":1}';
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${LAST.length}\r\nConnection: close\r\n\r\n${LAST}`;

const many = Array.from({ length: 10_000 }, (_, index) => ({
  role: index % 2 ? "assistant" : "user",
  content: `m${index}`,
}));
const same = Array.from({ length: 1000 }, () => ({ role: "user", content: "again" }));

/** A body, and whether it can be followed. */
const BODIES: [string, string, boolean][] = [
  ["messages that are no list", '{"model":"m","messages":"hi"}', false],
  ["messages that are an object", '{"model":"m","messages":{"role":"user","content":"hi"}}', false],
  [
    "messages that are null and a number",
    '{"model":"m","messages":[null,7,[],"x",{"role":"user","content":"hi"}]}',
    true,
  ],
  [
    "content as parts",
    '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hi"},null,3]}]}',
    true,
  ],
  [
    "nulls everywhere",
    '{"model":"m","messages":[{"role":null,"content":null,"tool_calls":null},{"role":"user","content":null}]}',
    true,
  ],
  [
    "content nested a thousand deep",
    `{"model":"m","messages":[{"role":"user","content":${"[".repeat(1000)}${"]".repeat(1000)}}]}`,
    true,
  ],
  ["ten thousand messages", JSON.stringify({ model: "m", messages: many }), true],
  ["the same message a thousand times", JSON.stringify({ model: "m", messages: same }), true],
  [
    "an id of 1 MB",
    JSON.stringify({ model: "m", messages: same.slice(0, 1), previous_response_id: "x".repeat(2 ** 20) }),
    true,
  ],
  [
    "keys of JavaScript's own",
    '{"model":"m","messages":[{"__proto__":{"role":"user"},"role":"user","constructor":1,"content":"hi"}]}',
    true,
  ],
  ["no JSON", "not json", false],
];

function isWhole(request: Buffer): boolean {
  const head = request.indexOf("\r\n\r\n");
  const lengthBytes = /^content-length: *(\d+)/im.exec(request.toString("latin1", 0, head))?.[1];
  return head !== -1 && request.length === head + 4 + Number(lengthBytes ?? 0);
}

it("forwards all of it, and follows what it can", async () => {
  // As Ollama does: an answer before the body is whole would end the exchange, and the rest would not be read.
  const upstream = await startRawUpstream((connection) => {
    connection.onChunk(() => {
      if (isWhole(connection.received())) connection.socket.write(ANSWER);
    });
  });
  const { url, store } = await startBehind(upstream);
  for (const [name, body, canBeFollowed] of BODIES) {
    for (const path of ["/api/chat", "/v1/responses", "/v1/messages"]) {
      const answer = await fetch(`${url}${path}`, { method: "POST", body });
      expect([name, await answer.text()]).toEqual([name, LAST]);
    }
    // A large body is read in a thread; its row waits for that, the client has not.
    await waitFor(async () => {
      const { exchanges } = await store.exchanges({ limit: 3 });
      return exchanges.every(({ state }) => state.phase === "completed");
    });
    const { exchanges } = await store.exchanges({ limit: 3 });
    const chat = exchanges.find(({ path }) => path === "/api/chat") as Exchange;
    expect([name, chat.conversationId !== undefined]).toEqual([name, canBeFollowed]);
  }
  const metrics = await (await fetch(`${url}/plimsoll/metrics`)).text();
  expect(metrics).not.toMatch(/observer_failures_total\{[^}]*\} [1-9]/);
}, 30_000);

it("takes ids that clients give as they are: long, strange or empty", async () => {
  const { url } = await startBehind(await startRawUpstream(answering(ANSWER)));
  const body = '{"model":"m","messages":[{"role":"user","content":"hi"}]}';
  for (const id of [
    "x".repeat(12_000),
    "a\tb",
    "\u00ff\u00fe",
    "'; DROP TABLE conversations; --",
    "../../etc",
    " ",
  ]) {
    for (let time = 0; time < 2; time += 1) {
      const answer = await fetch(`${url}/api/chat`, {
        method: "POST",
        body,
        headers: { "x-session-id": id },
      });
      expect(answer.status).toBe(200);
    }
  }
  const answer = await fetch(`${url}/plimsoll/api/conversations`);
  const text = await answer.text();
  const { conversations } = JSON.parse(text) as { conversations: Conversation[] };
  // An empty id is none: the same "hi" twice is two chats.
  expect(conversations).toHaveLength(5 + 2);
  expect(text).not.toContain("DROP TABLE");
  expect(text).not.toContain("xxxx");
  for (const id of ["%00", "..%2f..", "x".repeat(5000), "%f0%28"]) {
    expect([400, 404]).toContain((await fetch(`${url}/plimsoll/api/conversations/${id}`)).status);
  }
});
