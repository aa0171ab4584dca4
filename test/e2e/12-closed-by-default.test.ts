/** Promise 12. Loopback only; a Host that Ollama would refuse is refused here; /plimsoll refuses foreign origins. */
import http from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterEach(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async function ask(head: string, settings: Record<string, unknown> = {}) {
  const upstream = await startRawUpstream(answering(OK));
  const { port } = await startBehind(upstream, { settings });
  const client = await connect(port);
  client.send(head);
  const text = await client.until("\r\n\r\n");
  return { text, forwarded: upstream.connections.length > 0, client };
}

const request = (host: string, more = "", method = "GET", path = "/api/tags"): string =>
  `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nX-Test: 1\r\n${more}\r\n`;

describe("on loopback", () => {
  it.each([
    "localhost",
    "LOCALHOST:9",
    "127.0.0.1:1",
    "[::1]:1",
    "box.local",
    "x.internal:80",
    "a.localhost",
    "10.0.0.5",
    "",
  ])("forwards Host %j", async (host) => {
    const { text, forwarded } = await ask(request(host));
    expect(text.startsWith("HTTP/1.1 200")).toBe(true);
    expect(forwarded).toBe(true);
  });

  it.each(["evil.example", "8.8.8.8", "box.lan:8080", "localhost.evil.example"])(
    "refuses Host %j with 403 and an empty body, forwarding nothing",
    async (host) => {
      const { text, forwarded } = await ask(request(host));
      expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nDate: [^\r]+\r\nContent-Length: 0\r\n\r\n$/);
      expect(forwarded).toBe(false);
    },
  );

  it("refuses them on the page, the API and the live path too", async () => {
    for (const path of ["/plimsoll/", "/plimsoll/api/status", "/plimsoll/healthz"]) {
      expect((await ask(request("evil.example", "", "GET", path))).text).toMatch(/^HTTP\/1\.1 403 /);
    }
    const upgrade =
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const { text } = await ask(request("evil.example", upgrade, "GET", "/plimsoll/live"));
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("lets a CORS preflight through whatever its Host, as Ollama does", async () => {
    const { text, forwarded } = await ask(
      request(
        "evil.example",
        "Origin: http://localhost:3000\r\nAccess-Control-Request-Method: POST\r\n",
        "OPTIONS",
      ),
    );
    expect(text.startsWith("HTTP/1.1 200")).toBe(true);
    expect(forwarded).toBe(true);
  });

  it("refuses a request without Host in Ollama's words, and two Hosts", async () => {
    const none = await ask("GET /api/tags HTTP/1.1\r\nX-Test: 1\r\n\r\n");
    expect((await none.client.ended).text).toBe(
      "HTTP/1.1 400 Bad Request: missing required Host header\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request: missing required Host header",
    );
    const two = await ask(
      "GET /api/tags HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nX-Test: 1\r\n\r\n",
    );
    expect(two.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(none.forwarded || two.forwarded).toBe(false);
  });

  it("judges an absolute-form target by the host it names", async () => {
    const { text } = await ask(
      "GET http://evil.example/api/tags HTTP/1.1\r\nHost: localhost\r\nX-Test: 1\r\n\r\n",
    );
    expect(text).toMatch(/^HTTP\/1\.1 403 /);
  });

  it("refuses a foreign Origin on /plimsoll with 403 and takes none as a script", async () => {
    const foreign = await ask(
      request("localhost", "Origin: http://evil.example\r\n", "GET", "/plimsoll/api/status"),
    );
    expect(foreign.text).toMatch(/^HTTP\/1\.1 403 /);
    const none = await ask(request("localhost", "", "GET", "/plimsoll/api/status"));
    expect(none.text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("on a wider listener", () => {
  const wide = { listen: "0.0.0.0:0", token: "a-long-token", allowedHosts: ["box.lan"] };

  it("accepts only allowedHosts", async () => {
    expect((await ask(request("box.lan:11435"), wide)).forwarded).toBe(true);
    const other = await ask(request("127.0.0.1"), wide);
    expect(other.text).toMatch(/^HTTP\/1\.1 403 /);
    expect(other.forwarded).toBe(false);
  });

  it("needs the token for /plimsoll but healthz, and none for forwarded paths", async () => {
    const path = "/plimsoll/api/status";
    expect((await ask(request("box.lan", "", "GET", path), wide)).text).toMatch(/^HTTP\/1\.1 401 /);
    expect((await ask(request("box.lan", "", "GET", "/plimsoll/healthz"), wide)).text).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    const bearer = "Authorization: Bearer a-long-token\r\n";
    expect((await ask(request("box.lan", bearer, "GET", path), wide)).text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

it("keeps an upstream's own Authorization on forwarded paths", async () => {
  const upstream = await startRawUpstream(answering(OK));
  const { port } = await startBehind(upstream);
  await new Promise((resolve) =>
    http.get({ port, path: "/api/x", headers: { authorization: "Bearer k" }, agent: false }, (answer) =>
      answer.resume().on("end", resolve),
    ),
  );
  expect(
    upstream.connections.some((connection) =>
      /authorization: Bearer k/i.test(connection.received().toString()),
    ),
  ).toBe(true);
});
