import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { AccessRequest } from "./access.ts";

type Header = (name: string) => string | undefined;

/** The facts an access decision needs, from a raw Node request. */
export function fromNode(request: IncomingMessage): AccessRequest {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const header: Header = (name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  const address = request.socket.remoteAddress;
  return { method: request.method ?? "GET", path, address: address ?? "unknown", ...headerFacts(header) };
}

/** The same, from a request inside Hono. */
export function fromContext(context: Context): AccessRequest {
  const env = context.env as { incoming?: IncomingMessage } | undefined;
  const { method, path } = context.req;
  const address = env?.incoming?.socket.remoteAddress ?? "unknown";
  return { method, path, address, ...headerFacts((name) => context.req.header(name)) };
}

function headerFacts(header: Header): Omit<AccessRequest, "method" | "path" | "address"> {
  return {
    host: header("host"),
    origin: header("origin"),
    fetchSite: header("sec-fetch-site"),
    fetchMode: header("sec-fetch-mode"),
    authorization: header("authorization"),
    cookie: header("cookie"),
  };
}
