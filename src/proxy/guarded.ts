/** Forwards at once, or, with the guard on, once the request has been read and judged; and does what the guard says. */
import { computes } from "../ollama/operations.ts";
import { findOptionNumber, replaceSpan } from "../ollama/optionSpan.ts";
import type { Exchange, GuardDecision, RequestFacts } from "../types.ts";
import { announcedBytes, bodyIsAnnounced } from "./bodyAnnounced.ts";
import { forward, type ForwardJob, type Forwarding } from "./forward.ts";
import { headerValue } from "./headers.ts";
import { hold, LONGEST_HELD_BYTES, type HoldRoom } from "./hold.ts";
import { answerError } from "./ownAnswers.ts";
import type { HeldBody } from "./upload.ts";

export interface Guard {
  /** Never rejects for long: what cannot be judged in time passes. */
  judge(exchange: Exchange, facts: RequestFacts, overridden: boolean): Promise<GuardDecision>;
  /** It went on without having been judged. */
  unjudged(exchange: Exchange, reason: string): void;
}

export interface GuardedForwarding extends Forwarding {
  /** The request goes on only once it has been read. */
  waits: boolean;
  /** The request's facts are known. `tell` is called with those that go to Ollama; never when it is refused. */
  read(facts: RequestFacts, tell: (facts: RequestFacts) => void): void;
}

const GUARD_HEADER = "X-Plimsoll-Guard";
const OVERRIDE_HEADER = "x-plimsoll-override";

export function forwardGuarded(
  job: ForwardJob,
  context: { exchange: Exchange; guard: Guard | undefined; room: HoldRoom },
): GuardedForwarding {
  const { incoming, outgoing, watcher } = job;
  const { exchange, guard, room } = context;
  // Only what makes Ollama load a model is worth waiting for.
  if (guard === undefined || !computes(exchange.operation) || !bodyIsAnnounced(incoming)) {
    return { ...forward(job), waits: false, read: tellAtOnce };
  }
  if (announcedBytes(incoming) > LONGEST_HELD_BYTES) {
    guard.unjudged(exchange, "its body is too large to be held");
    return { ...forward(job), waits: false, read: tellAtOnce };
  }
  let change: Partial<ForwardJob> = {};
  const held = hold({
    incoming,
    outgoing,
    watcher,
    room,
    forward: (body) => forward({ ...job, held: body, ...change }),
    tooLarge: () => guard.unjudged(exchange, "its body is too large to be held"),
  });

  const act = (decision: GuardDecision): void => {
    if (decision.act === "pass") {
      held.release();
      return;
    }
    if (decision.act === "refuse") {
      const error = { code: "guard-refused", message: decision.message };
      if (held.answered({ how: "refused", error })) {
        exchange.notices.push(decision.notice);
        exchange.status = 503;
        answerError(outgoing, exchange, {
          status: 503,
          message: decision.message,
          // The SDKs of OpenAI and Anthropic would ask again twice, and be refused again.
          headers: { [GUARD_HEADER]: "refused", "x-should-retry": "false" },
        });
      }
      return;
    }
    const changed =
      decision.act === "allow" ? allowed(job) : capped(job, held.body(), decision.contextLength);
    if (changed === undefined) {
      guard.unjudged(exchange, "its num_ctx could not be found in the body");
    } else {
      change = changed;
      exchange.notices.push(decision.notice);
    }
    held.release();
  };

  return {
    ...held,
    waits: true,
    read(facts, tell) {
      const overridden = headerValue(incoming.rawHeaders, OVERRIDE_HEADER)?.trim().toLowerCase() === "allow";
      const goOn = (decision: GuardDecision): void => {
        if (decision.act !== "refuse") {
          tell(decision.act === "cap" ? withContext(facts, decision.contextLength) : facts);
        }
        act(decision);
      };
      guard.judge(exchange, facts, overridden).then(goOn, () => goOn({ act: "pass" }));
    },
  };
}

function tellAtOnce(facts: RequestFacts, tell: (facts: RequestFacts) => void): void {
  tell(facts);
}

/** What a capped request asks Ollama for. */
function withContext(facts: RequestFacts, contextLength: number): RequestFacts {
  return {
    ...facts,
    requestedContextLength: contextLength,
    runnerOptions: { ...facts.runnerOptions, num_ctx: contextLength },
  };
}

/** The header has had its effect: Ollama need not see it. */
function allowed({ headers }: ForwardJob): Partial<ForwardJob> {
  const kept: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = "", value = ""] = headers.slice(index, index + 2);
    if (name.toLowerCase() !== OVERRIDE_HEADER) {
      kept.push(name, value);
    }
  }
  return { headers: kept, answerHeaders: [GUARD_HEADER, "overridden"] };
}

/** The same request with another number behind `num_ctx` and the length that follows from it, not a byte else. */
function capped(
  { headers }: ForwardJob,
  body: HeldBody,
  contextLength: number,
): Partial<ForwardJob> | undefined {
  const bytes = Buffer.concat(body.chunks);
  const span = findOptionNumber(bytes, "num_ctx");
  if (span === undefined) {
    return undefined;
  }
  const chunks = replaceSpan(bytes, span, String(contextLength)).filter((chunk) => chunk.length > 0);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return {
    held: { ...body, chunks },
    headers: headers.map((value, index) =>
      index % 2 === 1 && headers[index - 1]?.toLowerCase() === "content-length" ? String(length) : value,
    ),
    answerHeaders: [GUARD_HEADER, `capped; num_ctx=${contextLength}`],
  };
}
