/** Promise 6. No prompt, answer, image, tool argument or API key is ever stored, logged or shown. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import type { Log } from "../../src/types.ts";
import { startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, onCleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const SECRETS = {
  prompt: "zebra-prompt-7431",
  system: "zebra-system-7432",
  answer: "zebra-answer-7433",
  thinking: "zebra-thinking-7434",
  tool: "zebra-tool-7435",
  key: "zebra-key-7436",
  image: Buffer.from("zebra-image-7437").toString("base64"),
  error: "zebra-error-7438",
  query: "zebra-query-7439",
  chatId: "zebra-chat-7440",
  userId: "zebra-user-7441",
};

function chunked(contentType: string, body: string, status = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: ${contentType}\r\nTransfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

const ANSWERS: Record<string, string> = {
  "/api/chat": chunked(
    "application/x-ndjson",
    `{"model":"m","message":{"role":"assistant","content":"${SECRETS.answer}","thinking":"${SECRETS.thinking}","tool_calls":[{"function":{"name":"${SECRETS.tool}","arguments":{"x":"${SECRETS.tool}"}}}]},"done":false}\n` +
      `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":1}\n`,
  ),
  "/api/generate": chunked(
    "application/json; charset=utf-8",
    `{"error":"invalid character in '${SECRETS.error}' after object key"}`,
    "400 Bad Request",
  ),
  "/v1/chat/completions": chunked(
    "text/event-stream",
    `data: {"model":"m","choices":[{"delta":{"content":"${SECRETS.answer}"}}]}\n\ndata: {"error":{"message":"${SECRETS.error}"}}\n\n`,
  ),
  "/v1/messages": chunked(
    "application/json",
    `{"type":"error","error":{"type":"api_error","message":"${SECRETS.error}"}}`,
    "500 Internal Server Error",
  ),
};

it("keeps nothing readable in the database, the log, the API, the metrics or the live stream", async () => {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "plimsoll-"));
  onCleanUp(() => rm(dataDir, { recursive: true }));
  const logged: string[] = [];
  const note = (message: string, fields?: unknown): void => {
    logged.push(message + JSON.stringify(fields));
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const upstream = await startRawUpstream((connection) => {
    void connection.until("}").then((head) => {
      const target = /^POST ([^ ?]+)/.exec(head)?.[1] ?? "";
      connection.socket.end(ANSWERS[target] ?? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
  });
  const { url, store } = await startBehind(upstream, { dataDir, parts: { log } });
  const live: string[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/plimsoll/live`);
  socket.onmessage = (event) => live.push(String(event.data));
  await new Promise((resolve) => (socket.onopen = resolve));

  const body = JSON.stringify({
    model: "m",
    prompt: SECRETS.prompt,
    system: SECRETS.system,
    images: [SECRETS.image],
    messages: [
      { role: "system", content: SECRETS.system },
      { role: "user", content: SECRETS.prompt, images: [SECRETS.image] },
    ],
    tools: [{ function: { name: SECRETS.tool } }],
    max_tokens: 5,
  });
  for (const target of [...Object.keys(ANSWERS), "/api/nowhere"]) {
    await fetch(`${url}${target}?q=${SECRETS.query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRETS.key}`, "x-api-key": SECRETS.key },
      body,
    }).then((answer) => answer.text());
  }
  // The chat goes on, with and without an id of its own, and a program asks for its title.
  const messages = [
    { role: "system", content: SECRETS.system },
    { role: "user", content: SECRETS.prompt },
    { role: "assistant", content: SECRETS.answer },
    { role: "user", content: `${SECRETS.prompt} and on` },
  ];
  const title = [{ role: "user", content: `### Task:\nGenerate a concise title.\n${SECRETS.prompt}` }];
  const given = { "x-openwebui-chat-id": SECRETS.chatId, "x-openwebui-user-id": SECRETS.userId };
  for (const [headers, said] of [
    [{}, messages],
    [given, messages],
    [given, messages],
    [{}, title],
  ] as const) {
    const request = { method: "POST", headers, body: JSON.stringify({ model: "m", messages: said }) };
    await fetch(`${url}/api/chat`, request).then((answer) => answer.text());
  }
  // Cut off and garbled requests must leave nothing behind either.
  await fetch(`${url}/api/chat`, { method: "POST", body: body.slice(0, -20) }).then((answer) =>
    answer.text(),
  );
  await store.flush(5000);

  const seen = [logged.join("\n"), live.join("\n")];
  const pages = ["status", "exchanges", "exchanges?format=csv", "loads", "models", "conversations"];
  pages.push("conversations?purpose=any", "conversations?format=csv&purpose=title");
  const { conversations } = await store.conversations({ purpose: "any" });
  expect(conversations.map(({ turnCount }) => turnCount).toSorted()).toContain(2);
  pages.push(...conversations.map(({ id }) => `conversations/${id}`));
  for (const page of pages) {
    seen.push(await (await fetch(`${url}/plimsoll/api/${page}`)).text());
  }
  seen.push(await (await fetch(`${url}/plimsoll/metrics`)).text());
  for (const file of await readdir(dataDir)) {
    seen.push((await readFile(path.join(dataDir, file))).toString("latin1"));
  }
  socket.close();
  const everything = seen.join("\n");
  expect(everything).toContain('"model":"m"');
  expect(Object.entries(SECRETS).filter(([, secret]) => everything.includes(secret))).toEqual([]);
});
