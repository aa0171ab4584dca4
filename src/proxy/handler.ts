/**
 * The life of one exchange: admitted, forwarded, looked at, ended. What is under `/plimsoll` is ours; every other path,
 * known or not, goes to Ollama.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createAnswerReader, type AnswerReader } from "../ollama/answer.ts";
import type { BodyReader } from "../ollama/bodyReader.ts";
import { clientName, retryCount } from "../ollama/clientName.ts";
import { classify } from "../ollama/endpoints.ts";
import type { Exchange, Log } from "../types.ts";
import { admit, type Admission, type HostPolicy } from "./admission.ts";
import { expectsContinue } from "./bodyAnnounced.ts";
import type { Exchanges } from "./exchange.ts";
import type { ForwardJob, ForwardOutcome } from "./forward.ts";
import { forwardGuarded, type Guard } from "./guarded.ts";
import { headerValue, upstreamHeaders } from "./headers.ts";
import type { HoldRoom } from "./hold.ts";
import { endState, noticeOf, promptTooLongNotice } from "./outcome.ts";
import { answerError, answerNotAdmitted } from "./ownAnswers.ts";
import { openRequestReading } from "./requestReading.ts";
import { createTap, type Look } from "./tap.ts";
import type { Upstream } from "./upstream.ts";

export interface HandlerParts {
  upstream: Upstream;
  exchanges: Exchanges;
  bodies: BodyReader;
  /** Absent unless it is turned on: then nothing is ever held back. */
  guard?: Guard | undefined;
  hostIsAllowed: HostPolicy;
  /** Answers everything under `/plimsoll`. */
  own(incoming: IncomingMessage, outgoing: ServerResponse): void;
  now: () => number;
  newId: () => string;
  /** The secret of this installation: of what says which conversation it is, only hashes are kept. */
  salt: string;
  log: Log;
}

export interface Handler {
  handle(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** The client on this connection has sent its FIN: it has left, as it would have for Ollama. */
  clientEnded(socket: object): void;
}

/** True for Plimsoll's own paths. Judged on the raw path: what only decodes to it belongs to Ollama. */
export function isOwnPath(path: string): boolean {
  return path === "/plimsoll" || path.startsWith("/plimsoll/");
}

export function createHandler(parts: HandlerParts): Handler {
  const openLook = createTap((error) =>
    parts.log.error("an answer could not be read; it was forwarded all the same", {
      error: String(error),
    }),
  );
  const room: HoldRoom = { usedBytes: 0 };
  const leavers = new WeakMap<object, Set<() => void>>();

  return {
    handle(incoming, outgoing) {
      const admission = admit(
        {
          httpVersion: incoming.httpVersion,
          method: incoming.method ?? "GET",
          target: incoming.url ?? "/",
          rawHeaders: incoming.rawHeaders,
        },
        parts.hostIsAllowed,
      );
      if (!admission.admitted) {
        answerNotAdmitted(outgoing, admission);
        return;
      }
      if (isOwnPath(pathOf(admission.target))) {
        incoming.url = admission.target;
        if (expectsContinue(incoming)) {
          outgoing.writeContinue();
        }
        parts.own(incoming, outgoing);
        return;
      }
      const leave = runExchange({ parts, openLook, room, incoming, outgoing, admission });
      const socket = incoming.socket;
      const leaving = leavers.get(socket) ?? new Set();
      leavers.set(socket, leaving.add(leave));
      outgoing.once("close", () => leaving.delete(leave));
    },
    clientEnded(socket) {
      for (const leave of leavers.get(socket) ?? []) {
        leave();
      }
    },
  };
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query === -1 ? target : target.slice(0, query);
}

interface Run {
  parts: HandlerParts;
  openLook: (read: (chunk: Buffer) => void) => Look;
  room: HoldRoom;
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  admission: Extract<Admission, { admitted: true }>;
}

/** Forwards one request and follows it to its end. Returns what to call when the client leaves. */
function runExchange({ parts, openLook, room, incoming, outgoing, admission }: Run): () => void {
  const exchange = newExchange(parts, incoming, pathOf(admission.target));
  let reader: AnswerReader | undefined;
  let look: Look | undefined;
  let status: number | undefined;
  let sent = false;

  /** The request is read before its answer is looked at: what is guessed of it knows nothing of the answer. */
  const readRequest = (): void => {
    open.begin();
    if (sent) {
      request.finish();
    }
    exchange.status ??= status;
  };

  const finish = (outcome: ForwardOutcome): void => {
    sent ||= incoming.readableEnded;
    readRequest();
    look?.drain();
    const answer = reader?.end(outcome.how === "whole" ? "whole" : "cut");
    const state = endState(outcome, answer, {
      exchange,
      endedAt: open.now(),
      upstreamUrl: parts.upstream.address.url,
    });
    exchange.contentChunkCount = answer?.contentChunkCount || undefined;
    exchange.usage = answer?.usage;
    exchange.model ??= answer?.model;
    exchange.operation = answer?.operation ?? exchange.operation;
    if (answer?.estimatedUsage === true) {
      exchange.notices.push({ kind: "estimated-usage" });
    }
    if (answer?.promptTooLong !== undefined) {
      exchange.notices.push(promptTooLongNotice(answer.promptTooLong));
    }
    const notice = state.phase === "failed" ? noticeOf(state.error) : undefined;
    if (notice !== undefined) {
      exchange.notices.push({ kind: notice });
    }
    // A large body may still be on its way through the worker; the row waits for its facts, the client does not.
    request.whenRead(() => open.end(state, answer));
  };

  const job: ForwardJob = {
    incoming,
    outgoing,
    upstream: parts.upstream,
    target: admission.target,
    headers: upstreamHeaders(incoming.rawHeaders, {
      host: parts.upstream.address.authority,
      dropOrigin: admission.ownOrigin,
    }),
    unanswered: (error) =>
      answerError(outgoing, exchange, {
        status: 502,
        message: unreachable(parts.upstream.address.url, error),
      }),
    watcher: {
      requestChunk(chunk) {
        exchange.requestBytes += chunk.length;
        return request.body?.push(chunk) ?? false;
      },
      requestSettled() {
        request.body?.settled();
      },
      requestSent() {
        sent = true;
        if (forwarding.waits) {
          readRequest();
        } else {
          readTimer.refresh();
        }
      },
      answerHead(head) {
        const { rawHeaders } = head;
        status = head.status;
        reader = createAnswerReader({
          operation: exchange.operation,
          dialect: exchange.dialect,
          method: exchange.method,
          status,
          contentType: headerValue(rawHeaders, "content-type"),
          contentEncoding: headerValue(rawHeaders, "content-encoding"),
          salt: parts.salt,
          onContent: () => {
            if (exchange.state.phase === "waiting") {
              open.firstToken();
            }
          },
        });
        look = openLook((chunk) => {
          readRequest();
          reader?.push(chunk);
          exchange.contentChunkCount = reader?.contentChunkCount() || undefined;
          open.changed();
        });
      },
      answerChunk(chunk) {
        exchange.responseBytes += chunk.length;
        exchange.chunkCount += 1;
        look?.show(chunk);
      },
      end: finish,
    },
  };
  const forwarding = forwardGuarded(job, { exchange, guard: parts.guard, room });
  const open = parts.exchanges.open(exchange, forwarding.stop);
  // A request that is sent at once, and an answer that comes at once, pass first.
  const readTimer = setTimeout(readRequest, 1);
  const request = openRequestReading(parts, {
    incoming,
    open,
    // What is held back is sent only after it has been read.
    takesChunks: !forwarding.waits,
    onFacts: (facts) => forwarding.read(facts, open.requestRead),
  });
  return forwarding.clientLeft;
}

function newExchange(parts: HandlerParts, incoming: IncomingMessage, path: string): Exchange {
  const method = incoming.method ?? "GET";
  const { operation, dialect } = classify(method, path);
  const userAgent = headerValue(incoming.rawHeaders, "user-agent")?.slice(0, 256);
  const retries = retryCount(headerValue(incoming.rawHeaders, "x-stainless-retry-count"));
  return {
    id: parts.newId(),
    startedAt: parts.now(),
    operation,
    dialect,
    method,
    path: path.slice(0, 2048),
    client: { name: clientName(userAgent), userAgent, address: incoming.socket.remoteAddress },
    requestBytes: 0,
    responseBytes: 0,
    chunkCount: 0,
    state: { phase: "waiting" },
    notices: retries > 0 ? [{ kind: "retried", message: `attempt ${retries + 1} of this client` }] : [],
  };
}

function unreachable(url: string, { code, message }: NodeJS.ErrnoException): string {
  return `Plimsoll could not reach Ollama at ${url} (${code ?? message}). Start Ollama, or point Plimsoll at it with --upstream.`;
}
