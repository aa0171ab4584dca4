/** Who may ask: Ollama's own checks of `Host` and `Origin` on a loopback address, with CORS before the host. */
import { isIP } from "node:net";
import type { Header, WholeAnswer } from "./reply.ts";

export type Access = { refused: WholeAnswer } | { headers: readonly Header[] };

const ALLOWED_HEADERS =
  "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout";
const APP_ORIGIN = /^(?:app|file|tauri|vscode-webview|vscode-file):\/\//u;
const LOCAL_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?$/u;
const LOCAL_NAME = /(?:^localhost|\.localhost|\.local|\.internal)$/iu;
const PRIVATE_ADDRESS =
  /^(?:0\.0\.0\.0|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1?$|f[cd][\da-f]{2}:)/iu;

export function checkAccess(asked: {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  /** The path's own methods, which an answer to OPTIONS names. */
  allow: string | undefined;
}): Access {
  const { host = "", origin, allow } = asked;
  const named: Header[] = asked.method === "OPTIONS" && allow !== undefined ? [["Allow", allow]] : [];
  const sameOrigin = origin === `http://${host}` || origin === `https://${host}`;
  if (origin !== undefined && !sameOrigin) {
    if (!APP_ORIGIN.test(origin) && !LOCAL_ORIGIN.test(origin))
      return { refused: { status: 403, headers: named } };
    if (asked.method === "OPTIONS") return { refused: preflight(origin, named) };
  }
  if (!hostAllowed(host)) return { refused: { status: 403 } };
  if (origin === undefined || sameOrigin) return { headers: [] };
  return {
    headers: [
      ["Access-Control-Allow-Origin", origin],
      ["Vary", "Origin"],
    ],
  };
}

function preflight(origin: string, named: readonly Header[]): WholeAnswer {
  return {
    status: 204,
    headers: [
      ...named,
      ["Access-Control-Allow-Headers", ALLOWED_HEADERS],
      ["Access-Control-Allow-Methods", "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"],
      ["Access-Control-Allow-Origin", origin],
      ["Access-Control-Max-Age", "43200"],
      ["Vary", "Origin"],
      ["Vary", "Access-Control-Request-Method"],
      ["Vary", "Access-Control-Request-Headers"],
    ],
  };
}

function hostAllowed(host: string): boolean {
  const name = host.replace(/:\d+$/u, "").replace(/^\[|\]$/gu, "");
  if (name === "" || LOCAL_NAME.test(name)) return true;
  return isIP(name) !== 0 && PRIVATE_ADDRESS.test(name);
}
