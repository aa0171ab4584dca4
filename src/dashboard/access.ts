import { createAttempts } from "./attempts.ts";
import type { Problem } from "./problem.ts";
import { hasSession, sameSecret, sessionCookie } from "./session.ts";

/** What a decision looks at. `path` is without its query. */
export interface AccessRequest {
  method: string;
  path: string;
  host?: string;
  origin?: string;
  fetchSite?: string;
  fetchMode?: string;
  authorization?: string;
  cookie?: string;
  address: string;
}

export interface Access {
  /** Why this request is refused; absent when it may pass. */
  refuse(request: AccessRequest): Problem | undefined;
  /** Exchanges the token for a `Set-Cookie` value. */
  logIn(presented: string, address: string): { cookie: string } | { problem: Problem };
}

export interface AccessOptions {
  /** True when the listener can be reached from other machines. */
  tokenRequired: boolean;
  token?: string;
  now(): number;
}

type TokenState = "valid" | "absent" | "wrong" | "limited";

const openPaths = new Set(["/plimsoll/healthz", "/plimsoll/login"]);

/**
 * Decides who may see and change what is under `/plimsoll`. The `Host` has been checked before: without that check a name that a
 * stranger points at 127.0.0.1 would make every origin look like our own.
 */
export function createAccess(options: AccessOptions): Access {
  const { token, tokenRequired, now } = options;
  const attempts = createAttempts(now);

  // A session cannot be guessed (256 bits), so it is neither counted nor held up by someone else's guesses.
  const loggedIn = (request: AccessRequest): boolean =>
    token !== undefined && hasSession(request.cookie, token, now());

  const bearer = (request: AccessRequest): TokenState => {
    const presented = /^Bearer +(\S+) *$/i.exec(request.authorization ?? "")?.[1];
    if (token === undefined || presented === undefined) return "absent";
    if (attempts.waitSeconds(request.address) !== undefined) return "limited";
    if (sameSecret(presented, token)) return "valid";
    attempts.failed(request.address);
    return "wrong";
  };

  return {
    refuse(request) {
      const foreign = isForeign(request);
      // Only the header lifts the origin rule: a browser adds the cookie by itself, the header never.
      if (foreign) return bearer(request) === "valid" ? undefined : foreign;
      if (!tokenRequired || openPaths.has(request.path) || loggedIn(request)) return undefined;
      const state = bearer(request);
      if (state === "valid") return undefined;
      return state === "limited" ? tooMany(attempts.waitSeconds(request.address)) : unauthorized(state);
    },
    logIn(presented, address) {
      if (token === undefined) return { problem: noToken };
      const wait = attempts.waitSeconds(address);
      if (wait !== undefined) return { problem: tooMany(wait) };
      if (sameSecret(presented, token)) return { cookie: sessionCookie(token, now()) };
      attempts.failed(address);
      return { problem: unauthorized("wrong") };
    },
  };
}

/**
 * A page of another origin must neither read nor change anything here. Browsers mark such requests with `Origin`, or, where they leave
 * it out (images, scripts, plain GET), with `Sec-Fetch-Site`; following a link to the page is fine. Scripts send neither and may pass.
 */
function isForeign(request: AccessRequest): Problem | undefined {
  if (request.origin !== undefined) {
    return isOwnOrigin(request.origin, request.host)
      ? undefined
      : foreignProblem(`Origin "${request.origin.slice(0, 200)}"`);
  }
  const site = request.fetchSite;
  if (site === undefined || site === "same-origin" || site === "none") return undefined;
  const followsLink =
    request.fetchMode === "navigate" && (request.method === "GET" || request.method === "HEAD");
  return followsLink
    ? undefined
    : foreignProblem(`A page of another site (Sec-Fetch-Site: ${site.slice(0, 40)})`);
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  return ["http:", "https:"].some((scheme) => {
    const own = URL.parse(`${scheme}//${host}`);
    return own !== null && own.origin === origin.toLowerCase();
  });
}

function foreignProblem(who: string): Problem {
  return {
    status: 403,
    code: "foreign-origin",
    message: `${who} may not use /plimsoll: only its own page and programs that send no Origin may.`,
  };
}

function unauthorized(state: TokenState): Problem {
  return {
    status: 401,
    code: state === "wrong" ? "wrong-token" : "token-needed",
    message:
      state === "wrong"
        ? "This is not the token Plimsoll was started with (--token or PLIMSOLL_TOKEN)."
        : "This listener is open to the network, so /plimsoll needs the token: send Authorization: Bearer <token>, or log in on the page.",
    headers: { "WWW-Authenticate": 'Bearer realm="plimsoll"' },
  };
}

function tooMany(waitSeconds = 60): Problem {
  return {
    status: 429,
    code: "too-many-attempts",
    message: `Too many wrong tokens from this address; try again in ${waitSeconds} s.`,
    headers: { "Retry-After": String(waitSeconds) },
  };
}

const noToken: Problem = {
  status: 400,
  code: "no-token",
  message: "No token is set, so there is nothing to log in to: open /plimsoll/ directly.",
};
