/**
 * What a test wants to happen to a request. Delays are real milliseconds: the clock's speed does not touch them.
 * Rules are tried in order; the first whose every condition holds decides. A request that fits none is answered plainly.
 */
export type Script = readonly ScriptRule[];

interface ScriptRule {
  when?: {
    method?: string;
    /** Exact path without the query, or a pattern. */
    path?: string | RegExp;
    model?: string;
    /** 1 is the first request that fits the other conditions of this rule. */
    nth?: number;
  };
  override: Override;
}

export type DeathPhase = "connect" | "headers" | "first-chunk" | "middle" | "before-last";

export interface Override {
  delayBeforeHeadersMs?: number;
  /** Before every write of the body but the first. */
  delayBetweenChunksMs?: number;
  /** Content chunks (tokens) of the answer. */
  chunkCount?: number;
  /** The body leaves in pieces of these sizes, over and over, whatever the chunks were. */
  cutBytes?: number | readonly number[];
  /** Answers with this and nothing else; no model is run. `early` does so before the body has been read. */
  answer?: {
    status: number;
    headers?: readonly (readonly [string, string])[];
    contentType?: string;
    body?: string | Uint8Array;
    early?: boolean;
  };
  /** The connection ends here, by FIN, or by RST if `reset`. Bytes before that point still arrive. */
  die?: DeathPhase;
  reset?: boolean;
  /** Nothing more comes from here on, and the connection stays open. */
  hang?: "before-headers" | "after-first-chunk";
  /** The runner fails after so many content chunks, with this text where the dialect shows one. */
  failAfterChunks?: { chunks: number; message: string };
  /** Where it fails, its process is gone too. */
  killRunner?: boolean;
  /** The answer ends cleanly, but its last event is missing. */
  withoutFinal?: boolean;
  /** Status 200, the headers of a stream, and no byte. */
  emptyBody?: boolean;
  /** The second content chunk is at least this long, in one line. */
  hugeLineBytes?: number;
  /** Sent after a chunked body. */
  trailers?: readonly (readonly [string, string])[];
  /** Informational answers before the real one. */
  interim?: readonly { status: number; headers?: readonly (readonly [string, string])[] }[];
}

export interface ScriptedRequest {
  method: string;
  path: string;
  model?: string;
}

/** Counts what has fitted so far, so one matcher serves one server. */
export function createScriptMatcher(script: Script): (request: ScriptedRequest) => Override {
  const fitted = new Map<ScriptRule, number>();
  return (request) => {
    for (const rule of script) {
      if (!fits(rule, request)) continue;
      const count = (fitted.get(rule) ?? 0) + 1;
      fitted.set(rule, count);
      if (rule.when?.nth === undefined || rule.when.nth === count) return rule.override;
    }
    return {};
  };
}

function fits(rule: ScriptRule, request: ScriptedRequest): boolean {
  const { method, path, model } = rule.when ?? {};
  if (method !== undefined && method !== request.method) return false;
  if (model !== undefined && model !== request.model) return false;
  if (path === undefined) return true;
  return typeof path === "string" ? path === request.path : path.test(request.path);
}
