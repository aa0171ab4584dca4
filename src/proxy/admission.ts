/**
 * Who may come in. Decided from the request head alone, before anything is forwarded.
 *
 * Ollama protects itself against DNS rebinding by refusing foreign `Host` names. We replace `Host` on the way, so
 * without the same check here every web page could reach Ollama through us.
 */
import { headerValues } from "./headers.ts";

export interface RequestHead {
  httpVersion: string;
  method: string;
  /** The request target as received: origin form or absolute form. */
  target: string;
  rawHeaders: readonly string[];
}

export type Admission =
  | { admitted: true; target: string; host: string; ownOrigin: boolean }
  | { admitted: false; status: number; statusText: string; headers: string[]; body: string };

export type HostPolicy = (host: string | undefined) => boolean;

/** Decides on one request head; `hostIsAllowed` is Ollama's own rule on loopback, `allowedHosts` elsewhere. */
export function admit(head: RequestHead, hostIsAllowed: HostPolicy): Admission {
  // The parser lets others pass, and what they may say is judged by the rules of 1.1 only where it says 1.1.
  if (head.httpVersion !== "1.1" && head.httpVersion !== "1.0") {
    return refused(505, "HTTP Version Not Supported", "unsupported protocol version");
  }
  const hosts = headerValues(head.rawHeaders, "host");
  if (hosts.length > 1) {
    return refused(400, "Bad Request", "too many Host headers");
  }
  if (hosts.length === 0 && head.httpVersion === "1.1") {
    return refused(400, "Bad Request", "missing required Host header");
  }
  const { target, authority } = splitTarget(head.target);
  // RFC 9112 §3.2.2: an absolute-form target overrides the Host field.
  const host = authority ?? hosts[0] ?? "";
  const origin = headerValues(head.rawHeaders, "origin")[0] ?? "";
  const allowed = hostIsAllowed(host);
  const ownOrigin = allowed && host !== "" && origin === `http://${host}`;
  if (!allowed && !isPreflight(head.method, origin, host)) {
    return forbidden();
  }
  return { admitted: true, target, host, ownOrigin };
}

/** `http://host:port/path?query` becomes `/path?query`; every other form stays as received. */
export function splitTarget(target: string): { target: string; authority?: string } {
  const match = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (match === null) {
    return { target };
  }
  const rest = match[2] ?? "";
  return { target: rest.startsWith("/") ? rest : `/${rest}`, authority: match[1] ?? "" };
}

/** Ollama answers CORS before it looks at the host, so a foreign preflight gets its 204 there, not a 403. */
function isPreflight(method: string, origin: string, host: string): boolean {
  return method === "OPTIONS" && origin !== "" && origin !== `http://${host}` && origin !== `https://${host}`;
}

/** The words and the framing of Go's own server, which Ollama's clients get today. */
function refused(status: number, words: string, reason: string): Admission {
  return {
    admitted: false,
    status,
    statusText: `${words}: ${reason}`,
    headers: ["Content-Type", "text/plain; charset=utf-8", "Connection", "close"],
    body: `${status} ${words}: ${reason}`,
  };
}

function forbidden(): Admission {
  return {
    admitted: false,
    status: 403,
    statusText: "Forbidden",
    headers: ["Date", new Date().toUTCString(), "Content-Length", "0"],
    body: "",
  };
}
