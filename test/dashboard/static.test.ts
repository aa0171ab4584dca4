import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadPage } from "../../src/dashboard/static.ts";
import { aDashboard, errorOf } from "./support.ts";

const script = "export const value = 'value';\n".repeat(100);
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "plimsoll-page-"));
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), "<!doctype html><title>Plimsoll</title>");
  writeFileSync(join(directory, "assets/index-abc.js"), script);
  writeFileSync(join(directory, "assets/mark.svg"), "<svg/>");
  writeFileSync(join(directory, "notes.exe"), "not for the web");
});

afterAll(() => rmSync(directory, { recursive: true }));

const app = () => aDashboard({ page: loadPage(directory) }).app;

describe("the built page", () => {
  it("is served at /plimsoll/ and asked for anew each time", async () => {
    const response = await app().request("/plimsoll/");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.text()).toContain("<title>Plimsoll</title>");
  });

  it("keeps hashed assets for ever", async () => {
    const response = await app().request("/plimsoll/assets/index-abc.js");
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await response.text()).toBe(script);
  });

  it.each(["gzip", "br, gzip;q=0.8", "*"])("is packed for who accepts %s", async (accept) => {
    const response = await app().request("/plimsoll/assets/index-abc.js", {
      headers: { "Accept-Encoding": accept },
    });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    const body = Buffer.from(await response.arrayBuffer());
    expect(body.length).toBe(Number(response.headers.get("content-length")));
    expect(gunzipSync(body).toString()).toBe(script);
  });

  it.each(["", "br", "gzip;q=0", "identity"])("is plain for who accepts %j", async (accept) => {
    const response = await app().request("/plimsoll/assets/index-abc.js", {
      headers: { "Accept-Encoding": accept },
    });
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(await response.text()).toBe(script);
  });

  it("is not packed where that would make it larger", async () => {
    const response = await app().request("/plimsoll/assets/mark.svg", {
      headers: { "Accept-Encoding": "gzip" },
    });
    expect(response.headers.get("content-encoding")).toBeNull();
  });

  it("is not sent again to who has it, in the same packing", async () => {
    const first = await app().request("/plimsoll/");
    const etag = first.headers.get("etag") ?? "";
    const again = await app().request("/plimsoll/", { headers: { "If-None-Match": `"other", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    const packed = await app().request("/plimsoll/assets/index-abc.js", {
      headers: { "Accept-Encoding": "gzip" },
    });
    const plain = await app().request("/plimsoll/assets/index-abc.js");
    expect(packed.headers.get("etag")).not.toBe(plain.headers.get("etag"));
  });

  it.each(["notes.exe", "..%2Findex.html", "%2e%2e%2findex.html"])("does not serve %s", async (name) => {
    expect((await app().request(`/plimsoll/assets/${name}`)).status).toBe(404);
  });

  it("that was never built says how to build it", async () => {
    const page = loadPage(join(directory, "missing"));
    expect(page.built).toBe(false);
    const response = await aDashboard({ page }).app.request("/plimsoll/");
    expect(response.status).toBe(503);
    expect((await errorOf(response)).message).toContain("npm run build");
  });
});
