import { describe, expect, it } from "vitest";
import type { ExchangesQuery, SamplesQuery } from "../../src/dashboard/parts.ts";
import {
  aDashboard,
  anAccess,
  anExchange,
  aSample,
  aSnapshot,
  errorOf,
  fixedNow,
  health,
} from "./support.ts";

const form = { "Content-Type": "application/x-www-form-urlencoded" };

describe("health", () => {
  it("answers healthz with 200 even when Ollama does not answer", async () => {
    const down = { ...health, status: "degraded" as const, upstream: { url: "http://x", reachable: false } };
    const { app } = aDashboard({ health: () => down, probe: async () => down });
    const healthz = await app.request("/plimsoll/healthz");
    expect(healthz.status).toBe(200);
    expect(await healthz.json()).toEqual(down);
    const readyz = await app.request("/plimsoll/readyz");
    expect(readyz.status).toBe(503);
    expect(await readyz.json()).toEqual(down);
  });

  it("answers readyz with 200 when Ollama answers", async () => {
    expect((await aDashboard().app.request("/plimsoll/readyz")).status).toBe(200);
  });
});

describe("lists", () => {
  it("name the list by the last word of the path and carry the cursor only when there is more", async () => {
    const { app } = aDashboard({
      listExchanges: async () => ({ rows: [anExchange()], next: "cursor-1" }),
      listLoads: async () => ({ rows: [] }),
    });
    expect(await (await app.request("/plimsoll/api/exchanges")).json()).toEqual({
      exchanges: [anExchange()],
      next: "cursor-1",
    });
    expect(await (await app.request("/plimsoll/api/loads")).json()).toEqual({ loads: [] });
    expect(await (await app.request("/plimsoll/api/models")).json()).toEqual({ models: [] });
    expect(await (await app.request("/plimsoll/api/samples")).json()).toEqual({ samples: [] });
  });

  it("pass every filter on, with a limit of 100 unless one is given", async () => {
    const asked: ExchangesQuery[] = [];
    const { app } = aDashboard({
      listExchanges: async (query) => {
        asked.push(query);
        return { rows: [] };
      },
    });
    await app.request("/plimsoll/api/exchanges");
    await app.request(
      "/plimsoll/api/exchanges?limit=1000&before=c&model=a%2Fb%3Alatest&conversation=x&phase=failed&client=curl",
    );
    expect(asked).toEqual([
      { limit: 100 },
      { limit: 1000, before: "c", model: "a/b:latest", conversation: "x", phase: "failed", client: "curl" },
    ]);
  });

  it("say which parameter is wrong, with its value and the form it must have", async () => {
    const response = await aDashboard().app.request("/plimsoll/api/exchanges?limit=1001");
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toEqual({
      code: "bad-parameter",
      message: 'Parameter "limit" is "1001"; it must be a whole number from 1 to 1000.',
    });
  });

  it("refuse a cursor that is not theirs", async () => {
    const { app } = aDashboard({ listExchanges: async () => undefined });
    const response = await app.request("/plimsoll/api/exchanges?before=nonsense");
    expect(response.status).toBe(400);
    expect((await errorOf(response)).message).toContain('"before" is "nonsense"');
  });

  it("show ten minutes of samples unless told otherwise", async () => {
    const asked: SamplesQuery[] = [];
    const { app } = aDashboard({
      listSamples: async (query) => {
        asked.push(query);
        return [];
      },
    });
    await app.request("/plimsoll/api/samples");
    await app.request("/plimsoll/api/samples?from=1000&to=2000&points=50");
    expect(asked).toEqual([
      { from: fixedNow - 600_000, to: fixedNow, points: 600 },
      { from: 1000, to: 2000, points: 50 },
    ]);
    const reversed = await app.request("/plimsoll/api/samples?from=2000&to=1000");
    expect(reversed.status).toBe(400);
    expect((await errorOf(reversed)).message).toContain('"from" is "2000"');
  });
});

describe("format=csv", () => {
  it("gives the table as a file, hostile names disarmed, and the next page as a link", async () => {
    const hostile = anExchange({ model: '=cmd|" /C calc"!A0', client: { name: "a,b" } });
    const { app } = aDashboard({ listExchanges: async () => ({ rows: [hostile], next: "c 2" }) });
    const response = await app.request("/plimsoll/api/exchanges?format=csv&limit=1");
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="plimsoll-exchanges.csv"');
    expect(response.headers.get("link")).toBe(
      '</plimsoll/api/exchanges?format=csv&limit=1&before=c+2>; rel="next"',
    );
    const body = await response.text();
    expect(body).toContain(`"'=cmd|"" /C calc""!A0"`);
    expect(body).toContain('"a,b"');
    expect(body.split("\r\n")[0]).toMatch(/^id,startedAt,endedAt,/);
  });

  it("exists for samples and loads", async () => {
    const { app } = aDashboard({ listSamples: async () => [aSample({ headroomBytes: -5 })] });
    const samples = await (await app.request("/plimsoll/api/samples?format=csv")).text();
    expect(samples).toMatch(/^takenAt,/);
    expect(samples).toContain(",-5,");
    expect(await (await app.request("/plimsoll/api/loads?format=csv")).text()).toMatch(/^id,startedAt,/);
  });
});

describe("one exchange", () => {
  it("is found by its id or said not to exist", async () => {
    const { app } = aDashboard({
      findExchange: async (id) => (id === "a b" ? anExchange({ id }) : undefined),
    });
    expect(await (await app.request("/plimsoll/api/exchanges/a%20b")).json()).toEqual(
      anExchange({ id: "a b" }),
    );
    expect((await app.request("/plimsoll/api/exchanges/nope")).status).toBe(404);
  });

  it("is cancelled while it lives, and otherwise the answer says why not", async () => {
    const { app } = aDashboard({
      cancelExchange: (id) => id === "live",
      findExchange: async (id) => (id === "ended" ? anExchange({ id }) : undefined),
    });
    const cancel = (id: string) => app.request(`/plimsoll/api/exchanges/${id}/cancel`, { method: "POST" });
    const live = await cancel("live");
    expect(live.status).toBe(200);
    expect(await live.json()).toEqual({ cancelled: true, id: "live" });
    expect((await cancel("ended")).status).toBe(409);
    expect((await cancel("unknown")).status).toBe(404);
  });

  it("is not cancelled by a page of another origin", async () => {
    const cancelled: string[] = [];
    const { app } = aDashboard({ cancelExchange: (id) => cancelled.push(id) > 0 });
    const response = await app.request("/plimsoll/api/exchanges/live/cancel", {
      method: "POST",
      headers: { Origin: "https://evil.example", Host: "127.0.0.1:11435" },
    });
    expect(response.status).toBe(403);
    expect(cancelled).toEqual([]);
  });
});

describe("paths", () => {
  it("redirects /plimsoll to the page", async () => {
    const response = await aDashboard().app.request("/plimsoll");
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe("/plimsoll/");
  });

  it.each(["/plimsoll/nothing", "/plimsoll/api", "/plimsoll/api/exchanges/a/b", "/plimsoll/assets/none.js"])(
    "answers %s with 404 in the common shape",
    async (path) => {
      const response = await aDashboard().app.request(path);
      expect(response.status).toBe(404);
      expect((await errorOf(response)).code).toBe("not-found");
    },
  );

  it.each([
    ["POST", "/plimsoll/api/status", "GET, HEAD"],
    ["DELETE", "/plimsoll/healthz", "GET, HEAD"],
    ["GET", "/plimsoll/api/exchanges/x/cancel", "POST"],
    ["OPTIONS", "/plimsoll/api/exchanges", "GET, HEAD"],
  ])("answers %s %s with 405 and the methods it knows", async (method, path, allow) => {
    const response = await aDashboard().app.request(path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect((await errorOf(response)).code).toBe("wrong-method");
  });

  it("tells a plain GET of the live path that it is a WebSocket", async () => {
    expect((await aDashboard().app.request("/plimsoll/live")).status).toBe(426);
  });

  it("serves status and metrics", async () => {
    const { app } = aDashboard();
    expect(await (await app.request("/plimsoll/api/status")).json()).toEqual(aSnapshot());
    const metrics = await app.request("/plimsoll/metrics");
    expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4");
    expect(await metrics.text()).toBe("plimsoll_up 1\n");
  });

  it("answers HEAD without a body", async () => {
    const response = await aDashboard().app.request("/plimsoll/api/status", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  });
});

describe("failure of a part", () => {
  it("is a 500 that says nothing of the inside, which goes to the log", async () => {
    const { app, logged } = aDashboard({
      listExchanges: async () => {
        throw new Error("/home/user/secret.db is locked");
      },
    });
    const response = await app.request("/plimsoll/api/exchanges");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("secret.db");
    expect(logged).toHaveLength(1);
  });
});

describe("headers", () => {
  it.each(["/plimsoll/", "/plimsoll/api/status", "/plimsoll/nothing", "/plimsoll/api/exchanges?limit=0"])(
    "are strict on %s",
    async (path) => {
      const { headers } = await aDashboard().app.request(path);
      expect(headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    },
  );
});

describe("login", () => {
  const token = "s3cret-token";
  const closed = () => aDashboard({ access: anAccess({ tokenRequired: true, token }) }).app;
  const send = (body: string, headers: Record<string, string> = form) =>
    closed().request("/plimsoll/login", { method: "POST", body, headers });

  it("is what the page shows to who has no token, without a script and with its style allowed by hash", async () => {
    const response = await closed().request("/plimsoll/");
    expect(response.status).toBe(401);
    const html = await response.text();
    expect(html).toContain('<form method="post" action="/plimsoll/login">');
    expect(html).not.toContain("<script");
    expect(response.headers.get("content-security-policy")).toMatch(/style-src 'sha256-[\w+/]+=*';/);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("by form leads to the page with a cookie", async () => {
    const response = await send(`token=${token}`);
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/plimsoll/");
    const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
    const status = await closed().request("/plimsoll/api/status", { headers: { Cookie: cookie } });
    expect(status.status).toBe(200);
  });

  it("by JSON answers in JSON", async () => {
    const json = { "Content-Type": "application/json" };
    const good = await send(JSON.stringify({ token }), json);
    expect(good.status).toBe(200);
    expect(good.headers.get("set-cookie")).toContain("HttpOnly");
    const bad = await send(JSON.stringify({ token: "wrong" }), json);
    expect(bad.status).toBe(401);
    expect((await errorOf(bad)).code).toBe("wrong-token");
  });

  it("with a wrong token shows the form again and says so", async () => {
    const response = await send("token=%3Cb%3Ewrong");
    expect(response.status).toBe(401);
    expect(response.headers.get("set-cookie")).toBeNull();
    const html = await response.text();
    expect(html).toContain('role="alert"');
    expect(html).not.toContain("<b>wrong");
  });

  it.each(["", "token=", "{}", '{"token":5}', "null"])(
    "without a token in %j is a bad request",
    async (body) => {
      const headers = body.startsWith("token") ? form : { "Content-Type": "application/json" };
      expect((await send(body, headers)).status).toBe(400);
    },
  );

  it("reads at most 4 KiB", async () => {
    expect((await send(`token=${"x".repeat(5000)}`)).status).toBe(413);
  });

  it("is not offered by a form of another site", async () => {
    const response = await send(`token=${token}`, { ...form, Origin: "https://evil.example" });
    expect(response.status).toBe(403);
  });

  it("where no token is set says that none is needed", async () => {
    const response = await aDashboard().app.request("/plimsoll/login", {
      method: "POST",
      body: "token=x",
      headers: form,
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("No token is set");
  });

  it("is refused the eleventh time, with the seconds to wait", async () => {
    const app = closed();
    const attempt = () =>
      app.request("/plimsoll/login", { method: "POST", body: "token=wrong", headers: form });
    for (let count = 0; count < 10; count += 1) expect((await attempt()).status).toBe(401);
    const response = await attempt();
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
