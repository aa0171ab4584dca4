import { describe, expect, it } from "vitest";
import { admit, splitTarget, type RequestHead } from "../../src/proxy/admission.ts";

const localOnly = (host: string | undefined): boolean => host === "" || (host ?? "").startsWith("localhost");

function decide(rawHeaders: string[], more: Partial<RequestHead> = {}) {
  return admit({ httpVersion: "1.1", method: "GET", target: "/x", rawHeaders, ...more }, localOnly);
}

describe("admit", () => {
  it.each([
    ["a local host", decide(["Host", "localhost:1"]), true],
    ["an empty host", decide(["Host", ""]), true],
    ["HTTP/1.0 without a host", decide([], { httpVersion: "1.0" }), true],
    ["HTTP/1.1 without a host", decide([]), false],
    ["two hosts", decide(["Host", "localhost", "host", "localhost"]), false],
    ["a foreign host", decide(["Host", "evil"]), false],
    ["a foreign absolute-form target", decide(["Host", "localhost"], { target: "http://evil/x" }), false],
    [
      "a preflight to a foreign host",
      decide(["Host", "evil", "Origin", "http://a"], { method: "OPTIONS" }),
      true,
    ],
    [
      "OPTIONS that is same-origin",
      decide(["Host", "evil", "Origin", "http://evil"], { method: "OPTIONS" }),
      false,
    ],
    ["OPTIONS without Origin", decide(["Host", "evil"], { method: "OPTIONS" }), false],
    ["GET with an Origin from a foreign host", decide(["Host", "evil", "Origin", "http://a"]), false],
  ])("%s", (_name, admission, admitted) => {
    expect(admission.admitted).toBe(admitted);
  });

  it("calls Origin our own only for exactly http://<Host> on an allowed host", () => {
    const own = (rawHeaders: string[]): unknown => {
      const admission = decide(rawHeaders);
      return admission.admitted && admission.ownOrigin;
    };
    expect(own(["Host", "localhost:1", "Origin", "http://localhost:1"])).toBe(true);
    expect(own(["Host", "localhost:1", "Origin", "https://localhost:1"])).toBe(false);
    expect(own(["Host", "localhost:1", "Origin", "http://localhost"])).toBe(false);
    expect(own(["Host", "", "Origin", "http://"])).toBe(false);
  });
});

describe("splitTarget", () => {
  it.each([
    ["/a?b", "/a?b", undefined],
    ["//a", "//a", undefined],
    ["*", "*", undefined],
    ["http://h:1/a?b", "/a?b", "h:1"],
    ["HTTPS://h", "/", "h"],
    ["http://h?x", "/?x", "h"],
    ["/http://h/", "/http://h/", undefined],
  ])("%s", (target, path, authority) => {
    expect(splitTarget(target)).toEqual(
      authority === undefined ? { target: path } : { target: path, authority },
    );
  });
});
