/** A web page that the user happens to open: it must neither read, change nor use anything through us. */
import { afterAll, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";

afterAll(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const UPGRADE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const upstream = await startRawUpstream(answering(OK));
const { port } = await startBehind(upstream);

async function ask(head: string) {
  const forwardedBefore = upstream.connections.length;
  const client = await connect(port);
  client.send(head.replaceAll("{port}", String(port)));
  const text = await client.until("\r\n\r\n");
  client.socket.destroy();
  return {
    status: Number(text.slice(9, 12)),
    text,
    forwarded: upstream.connections.length - forwardedBefore,
  };
}

describe("DNS rebinding: a stranger's name that points at 127.0.0.1", () => {
  const PATHS = [
    "/api/tags",
    "/api/chat",
    "/plimsoll/",
    "/plimsoll/api/exchanges",
    "/plimsoll/healthz",
    "/plimsoll/metrics",
  ];
  it.each(PATHS)("%s is refused with 403 and an empty body, and reaches nobody", async (path) => {
    for (const host of [
      "rebind.evil.example",
      "evil.example:{port}",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "evil.example.",
    ]) {
      const { status, text, forwarded } = await ask(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect({ host, status, forwarded }).toEqual({ host, status: 403, forwarded: 0 });
      expect(text.endsWith("\r\n\r\n")).toBe(true);
    }
  });

  it("opens no WebSocket either", async () => {
    expect((await ask(`GET /plimsoll/live HTTP/1.1\r\nHost: evil.example\r\n${UPGRADE}\r\n`)).status).toBe(
      403,
    );
  });

  it("is not helped by naming us in the target, or two Hosts", async () => {
    const absolute = await ask(
      "GET http://evil.example/plimsoll/api/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
    );
    expect(absolute).toMatchObject({ status: 403, forwarded: 0 });
    const twice = await ask(
      "GET /plimsoll/api/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    );
    expect(twice).toMatchObject({ status: 400, forwarded: 0 });
  });
});

describe("a page of another origin", () => {
  const CHANGES: [string, string][] = [
    ["POST", "/plimsoll/api/forget"],
    ["POST", "/plimsoll/api/exchanges/x/cancel"],
    ["DELETE", "/plimsoll/api/calibration?model=m"],
    ["POST", "/plimsoll/login"],
    ["POST", "/plimsoll/api/predict"],
  ];
  it.each(CHANGES)("cannot %s %s, whatever kind of request it sends", async (method, path) => {
    for (const origin of [
      "http://evil.example",
      "null",
      "http://localhost:1",
      "http://127.0.0.1",
      "https://localhost:{port}.evil.example",
      "file://",
    ]) {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
        const { status, text } = await ask(
          `${method} ${path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: ${origin}\r\nContent-Type: ${type}\r\nContent-Length: 12\r\n\r\n{"all":true}`,
        );
        expect({ origin, type, status }).toEqual({ origin, type, status: 403 });
        expect(text).not.toMatch(/access-control-/i);
      }
    }
  });

  it.each(["/plimsoll/api/exchanges", "/plimsoll/api/status", "/plimsoll/metrics", "/plimsoll/"])(
    "cannot read %s, by fetch, script or image",
    async (path) => {
      for (const marks of [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n",
        "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n",
      ]) {
        const { status } = await ask(`GET ${path} HTTP/1.1\r\nHost: localhost:{port}\r\n${marks}\r\n`);
        expect({ marks, status }).toEqual({ marks, status: 403 });
      }
    },
  );

  it("cannot open the live connection", async () => {
    for (const origin of ["http://evil.example", "null", "http://localhost:1"]) {
      const { status } = await ask(
        `GET /plimsoll/live HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: ${origin}\r\n${UPGRADE}\r\n`,
      );
      expect({ origin, status }).toEqual({ origin, status: 403 });
    }
    const own = await ask(
      `GET /plimsoll/live HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n${UPGRADE}\r\n`,
    );
    expect(own.status).toBe(101);
  });

  it("gets no permission from a preflight", async () => {
    const { text } = await ask(
      "OPTIONS /plimsoll/api/forget HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n",
    );
    expect(text).not.toMatch(/access-control-allow/i);
  });

  it("cannot frame the page, run a script in it or learn where it links to", async () => {
    const { text } = await ask("GET /plimsoll/api/status HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
    expect(text).toMatch(/content-security-policy: [^\r]*frame-ancestors 'none'/i);
    expect(text).toMatch(/script-src 'self'/);
    expect(text).toMatch(/x-content-type-options: nosniff/i);
    expect(text).toMatch(/referrer-policy: no-referrer/i);
  });

  it("is judged by Ollama on Ollama's own paths: its Origin goes on untouched", async () => {
    const client = await connect(port);
    client.send("GET /api/tags HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n");
    await client.until("ok");
    expect(upstream.connections.at(-1)?.received().toString()).toContain("Origin: http://evil.example\r\n");
  });
});
