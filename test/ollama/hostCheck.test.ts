import { describe, expect, it } from "vitest";
import { hostIsAllowedByOllama } from "../../src/ollama/hostCheck.ts";
import { capturedHeader, loadCaptures } from "../support/captures.ts";

const MACHINE = { hostname: "MyBox", localAddresses: ["203.0.113.7", "2001:db8::7", "fe80::1%eth0"] };

// Both lists were judged by Ollama's own Go code, built on net.SplitHostPort and netip, for a machine like this one.
const ALLOWED = [
  "",
  "localhost",
  "LOCALHOST:11434",
  "localhost:",
  "localhost:abc",
  "mybox",
  "MYBOX:1",
  "a.localhost",
  ".localhost",
  "x.local:80",
  "y.INTERNAL",
  "127.0.0.1",
  "127.1.2.3:11434",
  "0.0.0.0",
  "0.0.0.0:1",
  "10.1.2.3",
  "172.16.0.1",
  "172.31.255.255:5",
  "192.168.1.1",
  "203.0.113.7",
  "203.0.113.7:11434",
  "::1",
  "[::1]:11434",
  "[::1]:",
  "::",
  "[::]:80",
  "[::1%lo]:1",
  "[fe80::1]:1",
  "[fc00::1]:1",
  "[fdff::1]:2",
  "[2001:db8::7]:9",
  "[2001:DB8:0::7]:9",
  "[::ffff:127.0.0.1]:1",
  "[::ffff:10.0.0.1]:1",
  "[::ffff:7f00:1]:1",
  "::ffff:127.0.0.1",
  "[127.0.0.1]:80",
  "[localhost]:80",
  "[]:1",
  ":80",
  ":",
  "[::ffff:127.0.0.1%eth0]:1",
  "fc00::1",
  "2001:db8::7",
  "[0:0:0:0:0:0:0:1]:1",
  "[::0001]:1",
];

const REFUSED = [
  "localhost.",
  "mybox.",
  "box.lan",
  "evil.example",
  "8.8.8.8",
  "8.8.8.8:11434",
  "127.1",
  "127.0.0.01",
  "172.15.0.1",
  "172.32.0.1",
  "192.169.1.1",
  "169.254.1.1",
  "203.0.113.8",
  "[::1]",
  "[::]",
  "[::%eth0]:1",
  "[fe80::1%eth0]:1",
  "[fe80::2]:1",
  "[fe00::1]:1",
  "[2001:db8::8]:9",
  "[::ffff:8.8.8.8]:1",
  "[::ffff:0.0.0.0]:1",
  "[::ffff:203.0.113.7]:1",
  "[::127.0.0.1]:1",
  "[127.0.0.1]",
  "a:b:c",
  "localhost:1:2",
  "[",
  "]",
  "[]",
  "::80",
  "[::1]x:80",
  "[::1]:80:90",
  "x[::1]:80",
  "[[::1]]:80",
  " localhost",
  "localhost ",
  "local",
  "internal",
  "notlocal",
  "a.local.",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "127.0.0.1.nip.io",
  "0",
  "0x7f.1",
  "2130706433",
  "1.2.3",
  "[::1%]:1",
  "[fe80::1%25eth0]:1",
  "[::00001]:1",
  "[1::2::3]:1",
  "[::1.2.3.4]:1",
  "172.16.0.1.",
  "10.0.0.1%eth0",
];

describe("the Host header", () => {
  it.each(ALLOWED)("%j is allowed", (host) => {
    expect(hostIsAllowedByOllama(host, MACHINE)).toBe(true);
  });

  it.each(REFUSED)("%j is refused", (host) => {
    expect(hostIsAllowedByOllama(host, MACHINE)).toBe(false);
  });

  it("may be absent: only HTTP/1.0 gets this far without", () => {
    expect(hostIsAllowedByOllama(undefined, MACHINE)).toBe(true);
  });
});

describe("every Host that a real Ollama was sent", () => {
  const captures = loadCaptures().filter(({ exchange }) => {
    const origin = capturedHeader(exchange.request, "origin");
    return exchange.request.method === "GET" && origin === undefined && exchange.response.status !== 400;
  });

  it("is refused here if it was refused there", () => {
    expect(captures.length).toBeGreaterThan(200);
    const judged = captures.map(({ exchange }) => {
      const host = capturedHeader(exchange.request, "host");
      const here = hostIsAllowedByOllama(host, { hostname: "unknown-machine", localAddresses: [] });
      return { host, here, there: exchange.response.status !== 403 };
    });
    expect(judged.filter(({ here, there }) => here !== there)).toEqual([]);
    expect(judged.filter(({ there }) => !there).length).toBeGreaterThan(2);
  });
});
