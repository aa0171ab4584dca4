import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { fromContext } from "./accessRequest.ts";
import { addAlertsApi } from "./alertsApi.ts";
import { addApi } from "./api.ts";
import { BodyTooLarge, bodyText } from "./bodyText.ts";
import { addConversationsApi } from "./conversationsApi.ts";
import { securityHeaders } from "./headers.ts";
import { loginPolicy, loginView } from "./login.ts";
import { BadParameter } from "./parameters.ts";
import type { DashboardParts } from "./parts.ts";
import { addPredictApi } from "./predictApi.ts";
import type { Problem } from "./problem.ts";
import { problemResponse } from "./problem.ts";

const loginBytesAllowed = 4096;

/**
 * Everything of Plimsoll's own over HTTP, all of it under `/plimsoll` and with full paths, so that it can be mounted at `/` or asked
 * directly. The live connection is `live.ts`'s. The caller has checked `Host`.
 */
export function createDashboard(parts: DashboardParts): Hono {
  const app = new Hono();
  app.onError((error) => errorResponse(error, parts));
  app.use("/plimsoll/*", securityHeaders);
  app.use("/plimsoll/*", guard(parts));
  app.use("/plimsoll/*", methodNotAllowed({ app, onMethodNotAllowed: (_, allowed) => wrongMethod(allowed) }));

  app.get("/plimsoll", (c) => c.redirect("/plimsoll/", 302));
  app.get("/plimsoll/", (c) => pageFile(c, parts, "index.html") ?? problemResponse(notBuilt));
  app.get("/plimsoll/assets/:name", (c) => {
    return pageFile(c, parts, `assets/${c.req.param("name")}`) ?? problemResponse(notFound(c.req.path));
  });
  app.get("/plimsoll/login", (c) => c.redirect("/plimsoll/", 303));
  app.post("/plimsoll/login", (c) => logIn(c, parts));
  app.get("/plimsoll/live", () => problemResponse(upgradeNeeded));
  app.get("/plimsoll/metrics", async (c) => {
    const { contentType, text } = await parts.metrics();
    return c.body(text, 200, { "Content-Type": contentType });
  });
  addApi(app, parts);
  addConversationsApi(app, parts);
  addAlertsApi(app, parts);
  addPredictApi(app, parts.predictions);
  // A handler rather than `notFound`: the app may be mounted inside another, which keeps handlers only.
  app.all("/plimsoll/*", (c) => problemResponse(notFound(c.req.path)));
  return app;
}

function guard(parts: DashboardParts): MiddlewareHandler {
  return async (context, next) => {
    const problem = parts.access.refuse(fromContext(context));
    if (!problem) return next();
    const { method, path } = context.req;
    const wantsPage = (method === "GET" || method === "HEAD") && /^\/plimsoll\/?$/.test(path);
    return wantsPage && problem.status === 401 ? loginAnswer() : problemResponse(problem);
  };
}

async function logIn(context: Context, parts: DashboardParts): Promise<Response> {
  const isForm = context.req.header("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
  const body = await bodyText(context, loginBytesAllowed);
  const token = isForm ? formToken(body) : jsonToken(body);
  if (token === undefined) return problemResponse(noTokenSent);
  const result = parts.access.logIn(token, fromContext(context).address);
  if ("cookie" in result) {
    context.header("Set-Cookie", result.cookie);
    return isForm ? context.redirect("/plimsoll/", 303) : context.json({ loggedIn: true });
  }
  return isForm ? loginAnswer(result.problem) : problemResponse(result.problem);
}

function formToken(body: string): string | undefined {
  return new URLSearchParams(body).get("token") || undefined;
}

function jsonToken(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const token = typeof value === "object" && value !== null && "token" in value ? value.token : undefined;
    return typeof token === "string" && token !== "" ? token : undefined;
  } catch {
    return undefined;
  }
}

function loginAnswer(problem?: Problem): Response {
  return new Response(loginView(problem?.message), {
    status: problem?.status ?? 401,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": loginPolicy,
      // Under `no-referrer` browsers send a form's POST with `Origin: null`, which is refused.
      "Referrer-Policy": "same-origin",
      ...problem?.headers,
    },
  });
}

function pageFile(context: Context, parts: DashboardParts, path: string): Response | undefined {
  return parts.page.answer(path, {
    acceptEncoding: context.req.header("accept-encoding"),
    ifNoneMatch: context.req.header("if-none-match"),
  });
}

function errorResponse(error: Error, parts: DashboardParts): Response {
  if (error instanceof BadParameter) {
    return problemResponse({ status: 400, code: "bad-parameter", message: error.message });
  }
  if (error instanceof BodyTooLarge) {
    return problemResponse({ status: 413, code: "too-large", message: error.message });
  }
  parts.log.error("A request for the page failed", { error: String(error) });
  return problemResponse(internal);
}

function wrongMethod(allowed: readonly string[]): Response {
  const list = allowed.join(", ");
  return problemResponse({
    status: 405,
    code: "wrong-method",
    message: `This path answers ${list} only.`,
    headers: { Allow: list },
  });
}

function notFound(path: string): Problem {
  return {
    status: 404,
    code: "not-found",
    message: `Plimsoll has nothing at ${path.slice(0, 200)}; the page is at /plimsoll/.`,
  };
}

const notBuilt: Problem = {
  status: 503,
  code: "page-not-built",
  message: "The page has not been built: run `npm run build` and start again. Forwarding and the API work.",
};

const upgradeNeeded: Problem = {
  status: 426,
  code: "upgrade-needed",
  message: "This is a WebSocket: connect with ws:// to receive a snapshot and then every change.",
  headers: { Upgrade: "websocket", Connection: "Upgrade" },
};

const noTokenSent: Problem = {
  status: 400,
  code: "bad-parameter",
  message: 'Send the token as form field "token" or as JSON {"token":"…"}.',
};

const internal: Problem = {
  status: 500,
  code: "internal",
  message: "Plimsoll could not answer this; its log on stderr says why. Forwarding is not affected.",
};
