import { describe, expect, it } from "vitest";
import { anAccess, aRequest, fixedNow } from "./support.ts";

const token = "correct horse battery staple".replaceAll(" ", "-");
const bearer = `Bearer ${token}`;

describe("origin", () => {
  it.each([
    ["http of the received host", "http://127.0.0.1:11435", "127.0.0.1:11435"],
    ["https of the received host, behind a TLS proxy", "https://llm.example", "llm.example"],
    ["the same host in other case", "http://Localhost:11435", "localhost:11435"],
    ["a default port that browsers leave out", "http://localhost", "localhost:80"],
    ["IPv6", "http://[::1]:11435", "[::1]:11435"],
  ])("allows %s", (_, origin, host) => {
    expect(anAccess().refuse(aRequest({ method: "POST", origin, host }))).toBeUndefined();
  });

  it.each([
    ["another site", "https://evil.example"],
    ["another port of this machine", "http://127.0.0.1:3000"],
    ["another name of this machine", "http://localhost:11435"],
    ["an opaque origin", "null"],
    ["a host that only starts alike", "http://127.0.0.1:11435.evil.example"],
    ["user info in front of the host", "http://127.0.0.1:11435@evil.example"],
    ["an empty origin", ""],
  ])("refuses %s, for reading too", (_, origin) => {
    const problem = anAccess().refuse(aRequest({ origin }));
    expect(problem).toMatchObject({ status: 403, code: "foreign-origin" });
  });

  it("refuses a foreign origin on the health path", () => {
    const request = aRequest({ path: "/plimsoll/healthz", origin: "https://evil.example" });
    expect(anAccess().refuse(request)?.status).toBe(403);
  });

  it("refuses any origin when there is no host to compare with", () => {
    expect(anAccess().refuse(aRequest({ origin: "http://x", host: undefined }))?.status).toBe(403);
  });

  it("allows scripts, which send no origin", () => {
    expect(anAccess().refuse(aRequest({ method: "POST" }))).toBeUndefined();
  });

  it("lets the token as a header lift the rule, but never the cookie, which a browser adds by itself", () => {
    const access = anAccess({ token });
    const foreign = { method: "POST", origin: "https://evil.example" };
    const cookie = cookieOf(access.logIn(token, "10.0.0.7"));
    expect(access.refuse(aRequest({ ...foreign, authorization: bearer }))).toBeUndefined();
    expect(access.refuse(aRequest({ ...foreign, cookie }))?.status).toBe(403);
    expect(access.refuse(aRequest({ ...foreign, cookie, authorization: "Bearer wrong" }))?.status).toBe(403);
  });
});

describe("Sec-Fetch-Site without an origin", () => {
  it.each(["same-origin", "none"])("allows %s", (fetchSite) => {
    expect(anAccess().refuse(aRequest({ fetchSite }))).toBeUndefined();
  });

  it.each(["cross-site", "same-site", "something-new"])("refuses %s", (fetchSite) => {
    expect(anAccess().refuse(aRequest({ fetchSite, fetchMode: "no-cors" }))?.status).toBe(403);
  });

  it("allows following a link from another site, but not sending a form", () => {
    const link = { fetchSite: "cross-site", fetchMode: "navigate" };
    expect(anAccess().refuse(aRequest({ ...link, path: "/plimsoll/" }))).toBeUndefined();
    expect(anAccess().refuse(aRequest({ ...link, method: "POST" }))?.status).toBe(403);
  });
});

describe("token", () => {
  const access = () => anAccess({ tokenRequired: true, token });

  it("is not asked for on a loopback listener, even if one is set", () => {
    expect(anAccess({ token }).refuse(aRequest())).toBeUndefined();
  });

  it.each([
    "/plimsoll/",
    "/plimsoll/api/status",
    "/plimsoll/live",
    "/plimsoll/assets/a.js",
    "/plimsoll/readyz",
  ])("is needed for %s off loopback", (path) => {
    const problem = access().refuse(aRequest({ path }));
    expect(problem).toMatchObject({ status: 401, code: "token-needed" });
    expect(problem?.headers).toHaveProperty("WWW-Authenticate");
  });

  it.each(["/plimsoll/healthz", "/plimsoll/login"])("is not needed for %s", (path) => {
    expect(access().refuse(aRequest({ path }))).toBeUndefined();
  });

  it("is accepted as a bearer, whatever the case of the scheme", () => {
    expect(access().refuse(aRequest({ authorization: bearer }))).toBeUndefined();
    expect(access().refuse(aRequest({ authorization: `bearer ${token}` }))).toBeUndefined();
  });

  it.each(["Bearer wrong", `Basic ${token}`, token, "Bearer "])("is not found in %j", (authorization) => {
    expect(access().refuse(aRequest({ authorization }))?.status).toBe(401);
  });

  it("that was never set lets nobody in where one is required", () => {
    const closed = anAccess({ tokenRequired: true });
    expect(closed.refuse(aRequest({ authorization: "Bearer undefined" }))?.status).toBe(401);
    expect(closed.logIn("", "10.0.0.7")).toHaveProperty("problem");
  });
});

describe("login", () => {
  it("gives a cookie that opens, is out of reach of scripts and other sites, and is not the token", () => {
    const access = anAccess({ tokenRequired: true, token });
    const setCookie = setCookieOf(access.logIn(token, "10.0.0.7"));
    expect(setCookie).toMatch(/; HttpOnly/);
    expect(setCookie).toMatch(/; SameSite=Strict/);
    expect(setCookie).toMatch(/; Path=\/plimsoll(;|$)/);
    expect(setCookie).not.toContain(token);
    const cookie = `theme=dark; ${setCookie.split(";")[0]}; other=1`;
    expect(access.refuse(aRequest({ cookie }))).toBeUndefined();
  });

  it("ends after thirty days, and at once when the token changes", () => {
    let now = fixedNow;
    const access = anAccess({ tokenRequired: true, token, now: () => now });
    const cookie = cookieOf(access.logIn(token, "10.0.0.7"));
    const changed = anAccess({ tokenRequired: true, token: "another" });
    expect(changed.refuse(aRequest({ cookie }))?.status).toBe(401);
    now += 29 * 24 * 3_600_000;
    expect(access.refuse(aRequest({ cookie }))).toBeUndefined();
    now += 2 * 24 * 3_600_000;
    expect(access.refuse(aRequest({ cookie }))?.status).toBe(401);
  });

  it("cannot be prolonged by editing the cookie", () => {
    const access = anAccess({ tokenRequired: true, token });
    const [name, value = ""] = cookieOf(access.logIn(token, "10.0.0.7")).split("=");
    const seal = value.split(".")[1];
    expect(access.refuse(aRequest({ cookie: `${name}=99999999999.${seal}` }))?.status).toBe(401);
    expect(access.refuse(aRequest({ cookie: `${name}=${token}` }))?.status).toBe(401);
  });
});

describe("guessing", () => {
  it("is held up after ten wrong tokens a minute from one address, by header and login together", () => {
    let now = fixedNow;
    const access = anAccess({ tokenRequired: true, token, now: () => now });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(access.logIn("wrong", "10.0.0.7")).toMatchObject({ problem: { status: 401 } });
      expect(access.refuse(aRequest({ authorization: "Bearer wrong" }))?.status).toBe(401);
      now += 1000;
    }
    expect(access.logIn(token, "10.0.0.7")).toMatchObject({
      problem: { status: 429, headers: { "Retry-After": "55" } },
    });
    expect(access.refuse(aRequest({ authorization: bearer }))?.status).toBe(429);
    expect(access.refuse(aRequest({ authorization: bearer, address: "10.0.0.8" }))).toBeUndefined();
    now += 56_000;
    expect(access.refuse(aRequest({ authorization: bearer }))).toBeUndefined();
  });

  it("by someone at the same address does not lock out who is logged in", () => {
    const access = anAccess({ tokenRequired: true, token });
    const cookie = cookieOf(access.logIn(token, "10.0.0.7"));
    for (let attempt = 0; attempt < 20; attempt += 1) access.logIn("wrong", "10.0.0.7");
    expect(access.refuse(aRequest({ cookie }))).toBeUndefined();
  });

  it("from ever new addresses of one IPv6 network is held up after a hundred a minute", () => {
    const access = anAccess({ tokenRequired: true, token });
    for (let host = 1; host <= 99; host += 1) access.logIn("wrong", `2001:db8:0:7::${host.toString(16)}`);
    expect(access.logIn(token, "2001:db8::7:1:2:3:4")).toHaveProperty("cookie");
    access.logIn("wrong", "2001:0db8:0000:0007:ffff:ffff:ffff:ffff");
    expect(access.logIn(token, "2001:db8::7:1:2:3:4")).toMatchObject({ problem: { status: 429 } });
    expect(access.logIn(token, "2001:db8:0:8::1")).toHaveProperty("cookie");
    expect(access.logIn(token, "2001:db8::1")).toHaveProperty("cookie");
    expect(access.logIn(token, "10.0.0.7")).toHaveProperty("cookie");
  });

  it("from IPv4 addresses on a socket for both is counted for each of them", () => {
    const access = anAccess({ tokenRequired: true, token });
    for (let host = 1; host <= 200; host += 1) access.logIn("wrong", `::ffff:10.0.0.${host}`);
    expect(access.logIn(token, "::ffff:10.0.0.7")).toHaveProperty("cookie");
  });

  it("from ever new addresses keeps a bounded memory", () => {
    const access = anAccess({ tokenRequired: true, token });
    for (let attempt = 0; attempt < 10; attempt += 1) access.logIn("wrong", "first");
    expect(access.logIn(token, "first")).toMatchObject({ problem: { status: 429 } });
    for (let address = 0; address < 1024; address += 1) access.logIn("wrong", `address-${address}`);
    // The address that failed longest ago is the one forgotten.
    expect(access.logIn(token, "first")).toHaveProperty("cookie");
  });
});

function setCookieOf(result: { cookie: string } | { problem: unknown }): string {
  if (!("cookie" in result)) throw new Error("the login was refused");
  return result.cookie;
}

function cookieOf(result: { cookie: string } | { problem: unknown }): string {
  return setCookieOf(result).split(";")[0] ?? "";
}
