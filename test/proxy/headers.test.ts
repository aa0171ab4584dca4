import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientHeaders, headerPairs, headerValues, upstreamHeaders } from "../../src/proxy/headers.ts";

const toUpstream = (raw: string[], dropOrigin = false): string[] =>
  upstreamHeaders(raw, { host: "up:1", dropOrigin });

describe("upstreamHeaders", () => {
  it("replaces Host where it stands, in the case it came", () => {
    expect(toUpstream(["A", "1", "hOsT", "me", "B", "2"])).toEqual(["A", "1", "hOsT", "up:1", "B", "2"]);
  });

  it("adds Host when an HTTP/1.0 client sent none", () => {
    expect(toUpstream(["A", "1"])).toEqual(["Host", "up:1", "A", "1"]);
  });

  it("keeps Transfer-Encoding as chunked, which is what we send", () => {
    expect(toUpstream(["Host", "x", "transfer-ENCODING", "gzip, chunked"])).toContain("chunked");
  });

  it("drops Origin only on request", () => {
    expect(toUpstream(["Host", "x", "Origin", "o"])).toContain("Origin");
    expect(toUpstream(["Host", "x", "Origin", "o"], true)).not.toContain("Origin");
  });

  it("drops fields named in any of several Connection fields", () => {
    const raw = [
      "Host",
      "x",
      "Connection",
      "a, B",
      "connection",
      "c",
      "A",
      "1",
      "b",
      "2",
      "C",
      "3",
      "D",
      "4",
    ];
    expect(toUpstream(raw)).toEqual(["Host", "up:1", "D", "4"]);
  });

  it("keeps every other field as it is, in order, whatever it holds", () => {
    const name = fc.stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,12}$/);
    const value = fc.stringMatching(/^[\x21-\x7e\xa0-\xff]{0,30}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (fields) => {
        const raw = ["Host", "x", ...fields.flat()];
        expect(toUpstream(raw)).toEqual(["Host", "up:1", ...fields.flat()]);
        expect(clientHeaders(fields.flat(), { chunked: true })).toEqual(fields.flat());
        expect(headerPairs(fields.flat())).toEqual(fields);
      }),
    );
  });
});

describe("clientHeaders", () => {
  const raw = [
    "Date",
    "d",
    "Transfer-Encoding",
    "chunked",
    "Trailer",
    "X",
    "Connection",
    "close",
    "Set-Cookie",
    "a",
    "Set-Cookie",
    "b",
  ];

  it("keeps the framing in its place for a chunked client", () => {
    expect(clientHeaders(raw, { chunked: true })).toEqual([
      "Date",
      "d",
      "Transfer-Encoding",
      "chunked",
      "Trailer",
      "X",
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "b",
    ]);
  });

  it("leaves framing and trailers out for a client that reads until the end", () => {
    expect(clientHeaders(raw, { chunked: false })).toEqual([
      "Date",
      "d",
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "b",
    ]);
  });
});

it("headerValues finds repeated fields in any case", () => {
  expect(headerValues(["hoST", "a", "x", "y", "Host", "b"], "host")).toEqual(["a", "b"]);
});
