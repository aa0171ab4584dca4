/**
 * Tricks with paths. The rule: what begins with `/plimsoll/` on the wire, byte for byte, is ours and is never
 * forwarded; everything else goes to Ollama byte for byte, whatever it would decode or resolve to.
 */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { connect } from "../support/rawClient.ts";
import { answering, startRawUpstream } from "../support/rawUpstream.ts";
import { cleanUp, startBehind } from "../support/startPlimsoll.ts";
import { isOwnPath } from "../../src/proxy/handler.ts";

afterAll(cleanUp);

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TOKEN = "a-token-of-the-test";

async function start(settings: Record<string, unknown> = {}) {
  const upstream = await startRawUpstream(answering(OK));
  const { port } = await startBehind(upstream, { settings });
  return async (target: string, method = "GET") => {
    const before = upstream.connections.length;
    const client = await connect(port);
    client.send(
      `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
    const { text } = await client.ended;
    const forwarded = upstream.connections.slice(before).map((one) => one.received().toString("latin1"));
    return { status: Number(text.slice(9, 12)), text, forwarded };
  };
}

const askLoopback = await start();
const askWide = await start({ listen: "0.0.0.0:0", token: TOKEN });

describe("what only looks like ours goes to Ollama as it is", () => {
  it.each([
    "/PLIMSOLL/api/status",
    "/Plimsoll/",
    "/plimsollx",
    "/plimsoll.",
    "/plimsoll;/api",
    "/%70limsoll/api/status",
    "/plimsol%6c/api/status",
    "//plimsoll/api/status",
    "/./plimsoll/api/status",
    "/x/../plimsoll/api/status",
    "/plimsoll%2fapi",
    "/plimsoll%00/",
    "/plimsoll\\api",
    "/\\plimsoll/",
    "/api/tags?/plimsoll/",
    "/plimsoll\t",
  ])("%s", async (target) => {
    const { status, forwarded } = await askLoopback(target);
    if (status === 400) {
      // The parser of HTTP refused it: then nobody saw it.
      expect(forwarded).toEqual([]);
      return;
    }
    expect(forwarded[0]?.split(" ")[1]).toBe(target);
  });
});

describe("what is ours reaches neither Ollama nor a file, however it is bent", () => {
  const BENT = [
    "/plimsoll/../api/tags",
    "/plimsoll/..",
    "/plimsoll/%2e%2e/api/tags",
    "/plimsoll/..%2fapi/tags",
    "/plimsoll/..\\api\\tags",
    "/plimsoll/assets/../../package.json",
    "/plimsoll/assets/..%2f..%2f..%2fpackage.json",
    "/plimsoll/assets/%2e%2e%2f%2e%2e%2fpackage.json",
    "/plimsoll/assets/..%5c..%5cpackage.json",
    "/plimsoll/assets//etc/passwd",
    "/plimsoll/assets/%00",
    "/plimsoll//api/status/",
    "/plimsoll/api/exchanges/%2e%2e",
    "/plimsoll/%",
    "/plimsoll/%zz",
    "/plimsoll/?x=/../../api",
    "/plimsoll/api/exchanges/__proto__",
    "/plimsoll/assets/constructor",
  ];
  it.each(BENT)("%s", async (target) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const { status, text, forwarded } = await askLoopback(target, method);
      expect(forwarded).toEqual([]);
      expect(status, method).toBeGreaterThanOrEqual(200);
      expect(text).not.toMatch(/"devDependencies"|root:x:0/);
    }
  });

  it.each([
    ...BENT,
    "/plimsoll/healthz/../api/exchanges",
    "/plimsoll/healthz/%2e%2e/api/exchanges",
    "/plimsoll/login/../api/status",
    "/plimsoll/healthz;/api",
    "/plimsoll/./api/status",
    "/plimsoll/api/./exchanges",
    "/plimsoll/x/../api/exchanges?limit=1",
    "/plimsoll//api/exchanges",
    "/plimsoll/api/exchanges/",
    "/plimsoll/api%2fexchanges",
    "/plimsoll/metrics/",
    "/plimsoll/healthz%2f..%2fapi%2fstatus",
  ])("%s opens nothing without the token on a wide listener", async (target) => {
    const { status, text, forwarded } = await askWide(target);
    expect(forwarded).toEqual([]);
    expect([400, 401, 404]).toContain(status);
    expect(text).not.toMatch(/"exchanges":|"verdict":|plimsoll_requests/);
  });
});

it("decides by the bytes alone: nothing but the exact prefix is ours (property)", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 12 }), (rest) => {
      expect(isOwnPath(`/plimsoll/${rest}`)).toBe(true);
      expect(isOwnPath(`/plimsoll${rest}`)).toBe(rest === "" || rest.startsWith("/"));
      expect(isOwnPath(`/${rest}`)).toBe(`/${rest}` === "/plimsoll" || `/${rest}`.startsWith("/plimsoll/"));
    }),
  );
});
