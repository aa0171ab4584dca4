/** Asks the Plimsoll that runs, over its own HTTP. */
import type { Config } from "../config.ts";
import { INSTANCE_HEADER } from "../selfProbe.ts";
import type { Health } from "../types.ts";
import { ownUrl } from "./address.ts";

const TIMEOUT_MS = 3000;

export interface Reply {
  status: number;
  /** The JSON of the answer; undefined where it is none. */
  body: unknown;
  /** Why the question was refused, in the words of the answer. */
  refusal?: string;
}

/**
 * `path` is one below `/plimsoll/api/`; with a `question` it is a POST. Undefined where nobody listens. Throws where the token is
 * missing or wrong, with what to do.
 */
export async function askRunning(
  { listen, token }: Pick<Config, "listen" | "token">,
  path: string,
  question?: object,
): Promise<Reply | undefined> {
  const url = ownUrl(listen);
  const answer = await fetch(`${url}/plimsoll/api/${path}`, {
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(question !== undefined && { "content-type": "application/json" }),
    },
    ...(question !== undefined && { method: "POST", body: JSON.stringify(question) }),
  }).catch(() => undefined);
  if (answer === undefined) {
    return undefined;
  }
  if (answer.status === 401) {
    throw new Error(`the Plimsoll at ${url} wants its token: set --token or PLIMSOLL_TOKEN.`);
  }
  const body: unknown = await answer.json().catch(() => undefined);
  const { status, ok } = answer;
  const said = (body as { error?: { message?: string } } | undefined)?.error?.message;
  const otherwise = answer.headers.has(INSTANCE_HEADER)
    ? `${url} answered ${status}`
    : `what answers at ${url} is no Plimsoll (${status}); name where it listens with --listen.`;
  return ok ? { status, body } : { status, body, refusal: said ?? otherwise };
}

/** The Plimsoll that answers at a URL; it says so on a path that Ollama does not have. */
export async function plimsollAt(url: string): Promise<Health | undefined> {
  try {
    const answer = await fetch(`${url}/plimsoll/healthz`, {
      headers: { "user-agent": "plimsoll" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.headers.has(INSTANCE_HEADER)) {
      await answer.body?.cancel();
      return undefined;
    }
    return (await answer.json()) as Health;
  } catch {
    return undefined;
  }
}
