/** Guessing the token of a wider listener: limited, not helped by time, and of no use when it is found in a log. */
import { afterEach, describe, expect, it } from "vitest";
import { sameSecret } from "../../src/dashboard/session.ts";
import type { Log } from "../../src/types.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TOKEN = "a-token-of-the-test";

async function wide(log?: Log) {
  const upstream = await startRawUpstream(answering(OK));
  const { port } = await startBehind(upstream, {
    settings: { listen: "0.0.0.0:0", token: TOKEN },
    ...(log !== undefined && { parts: { log } }),
  });
  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers, redirect: "manual", ...init });
  return { ask, upstream };
}

describe("guessing", () => {
  it("is stopped after ten tries a minute, by header and by login together, and the right one waits too", async () => {
    const { ask } = await wide();
    const statuses: number[] = [];
    for (let guess = 0; guess < 8; guess += 1) {
      statuses.push((await ask("/plimsoll/api/status", { authorization: `Bearer guess-${guess}` })).status);
    }
    for (let guess = 0; guess < 6; guess += 1) {
      const answer = await ask(
        "/plimsoll/login",
        { "content-type": "application/json" },
        { method: "POST", body: JSON.stringify({ token: `guess-${guess}` }) },
      );
      statuses.push(answer.status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(statuses.slice(10)).toEqual([429, 429, 429, 429]);
    const right = await ask("/plimsoll/api/status", { authorization: `Bearer ${TOKEN}` });
    expect(right.status).toBe(429);
    expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(0);
    // What needs no token is not held up, and chatting is not either.
    expect((await ask("/plimsoll/healthz")).status).toBe(200);
    expect((await ask("/api/tags")).status).toBe(200);
  });

  it.each([
    "",
    " ",
    "Bearer",
    "Bearer ",
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Bearer  ${TOKEN} ${TOKEN}`,
    `Bearer "${TOKEN}"`,
    "Bearer null",
    "Bearer undefined",
    "Bearer [object Object]",
    `bearer\t${TOKEN}`,
  ])("%j opens nothing", async (authorization) => {
    const { ask } = await wide();
    expect((await ask("/plimsoll/api/exchanges", { authorization })).status).toBe(401);
  });

  it.each([`?token=${TOKEN}`, `?access_token=${TOKEN}`])(
    "a token in the address (%s) opens nothing: addresses end up in logs",
    async (query) => {
      const { ask } = await wide();
      expect((await ask(`/plimsoll/api/exchanges${query}`)).status).toBe(401);
    },
  );

  it.each([
    "plimsoll_session=1.x",
    "plimsoll_session=",
    `plimsoll_session=${TOKEN}`,
    "plimsoll_session=99999999999999.AAAA",
    `token=${TOKEN}`,
  ])("a cookie made up (%s) opens nothing", async (cookie) => {
    const { ask } = await wide();
    expect((await ask("/plimsoll/api/exchanges", { cookie })).status).toBe(401);
  });
});

it("compares secrets of any length without an early end: digests of equal length, in constant time", () => {
  expect(sameSecret("a", "a")).toBe(true);
  for (const [one, other] of [
    ["", "a"],
    ["a", "aa"],
    ["a".repeat(10_000), "a"],
    ["\0", ""],
    ["é", "e\u0301"],
  ] as const) {
    expect(sameSecret(one, other)).toBe(false);
  }
});

it("the token appears in no answer, no log line and nothing that Ollama receives", async () => {
  const lines: string[] = [];
  const write = (message: string, fields?: object): void => void lines.push(message + JSON.stringify(fields));
  const { ask, upstream } = await wide({ debug: write, info: write, warn: write, error: write });
  const answers = [];
  for (const path of [
    "/plimsoll/api/status",
    "/plimsoll/healthz",
    "/plimsoll/metrics",
    "/plimsoll/api/exchanges",
    "/plimsoll/nowhere",
  ]) {
    const answer = await ask(path, { authorization: `Bearer ${TOKEN}` });
    answers.push(JSON.stringify([...answer.headers]) + (await answer.text()));
  }
  const login = await ask(
    "/plimsoll/login",
    { "content-type": "application/json" },
    { method: "POST", body: JSON.stringify({ token: TOKEN }) },
  );
  answers.push(JSON.stringify([...login.headers]) + (await login.text()));
  expect(login.headers.get("set-cookie")).toMatch(/HttpOnly/i);
  expect(login.headers.get("set-cookie")).toMatch(/SameSite=(Lax|Strict)/i);
  expect([...answers, ...lines].join("\n")).not.toContain(TOKEN);
  expect(upstream.connections.map((one) => one.received().toString()).join("")).not.toContain(TOKEN);
});
