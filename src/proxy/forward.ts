/**
 * One request to Ollama and its answer back, byte for byte. Nothing here parses, records or waits for anybody:
 * a watcher is shown what has already been passed on.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnswerHead } from "./answerHead.ts";
import { createAnswerParser } from "./answerParser.ts";
import { createBodyWriter, type BodyWriter } from "./bodyWriter.ts";
import { clientHeaders, headerPairs, headerValue } from "./headers.ts";
import type { ExchangeError } from "../types.ts";
import { ownsItsMemory } from "../ollama/segments.ts";
import type { HeldBody } from "./hold.ts";
import { MAX_HEADER_BYTES, type Upstream, type UpstreamRequest } from "./upstream.ts";

export type ForwardOutcome =
  | { how: "whole" }
  | { how: "client-left" }
  /** We ended it: asked to by the user, or because the process stops. */
  | { how: "stopped"; reason: "cancelled" | "interrupted" }
  /** Answered by ourselves, because the guard is on and said no. */
  | { how: "refused"; error: ExchangeError }
  | { how: "upstream-failed"; phase: "connect" | "head" | "body"; error: NodeJS.ErrnoException };

interface PassedHead {
  status: number;
  rawHeaders: readonly string[];
}

/** Called in this order; `end` exactly once, whatever happens. */
export interface ForwardWatcher {
  /** True when the watcher keeps the chunk; one that is not kept is gone once it has been sent. */
  requestChunk(chunk: Buffer): boolean;
  /** All chunks so far have been handed to the system: what was kept of them is the watcher's alone. */
  requestSettled(): void;
  /** The whole request has been handed to Ollama's connection: there is time to look at it now. */
  requestSent(): void;
  answerHead(head: PassedHead): void;
  answerChunk(chunk: Buffer): void;
  end(outcome: ForwardOutcome): void;
}

export interface ForwardJob {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  upstream: Upstream;
  target: string;
  /** The fields as they go upstream. */
  headers: string[];
  watcher: ForwardWatcher;
  /** What was kept back of the body; the watcher has been shown it already. */
  held?: HeldBody | undefined;
  /** Fields of ours behind those of the answer: the guard's, when it has acted. */
  answerHeaders?: readonly string[] | undefined;
  /** Answers the client when Ollama gave none. */
  refuse(error: NodeJS.ErrnoException, phase: "connect" | "head"): void;
}

export interface Forwarding {
  stop(reason: "cancelled" | "interrupted"): void;
  /** The client has gone: its FIN was seen, or its connection closed. */
  clientLeft(): void;
}

/** How long a client may go on uploading after its answer is complete, so that a reset does not eat the answer. */
const LINGER_MS = 2000;
/** Of a fast upload Node reads 2 MB at a time, for which every other stream would wait. */
const UPLOAD_TURN_BYTES = 256 * 1024;

export function forward(job: ForwardJob): Forwarding {
  const { incoming, outgoing, watcher } = job;
  const hasBody = bodyIsAnnounced(incoming);
  let answered = false;
  let lengthIsKnown = false;
  // A body that was held has been asked for already.
  let bodyAwaited = job.held === undefined && expectsContinue(incoming);
  let ended = false;
  let connected = false;
  const request = job.upstream.request(
    {
      method: incoming.method ?? "GET",
      target: job.target,
      headers: job.headers,
      chunked: headerValue(incoming.rawHeaders, "transfer-encoding") !== undefined,
    },
    (bytes) => relayAnswer(bytes),
  );
  const { socket } = request;

  const end = (outcome: ForwardOutcome): void => {
    ended = true;
    // Book-keeping waits until the sockets have been served: the last bytes of this answer, the first of another.
    setImmediate(() => {
      socket.destroy();
      watcher.end(outcome);
    });
  };

  const leave = (outcome: ForwardOutcome): void => {
    if (!ended) {
      // At once: Ollama goes on computing until it sees this.
      socket.destroy();
      end(outcome);
      outgoing.destroy();
    }
  };

  const upstreamFailed = (error: NodeJS.ErrnoException): void => {
    if (ended) {
      return;
    }
    if (answered) {
      end({ how: "upstream-failed", phase: "body", error });
      cutOff(outgoing, lengthIsKnown);
      return;
    }
    const phase = connected ? "head" : "connect";
    end({ how: "upstream-failed", phase, error });
    job.refuse(error, phase);
    drainUpload(incoming);
  };

  let passedHead: PassedHead | undefined;
  let passedChunks: readonly Buffer[] = [];
  const showPassed = (): void => {
    const head = passedHead;
    const chunks = passedChunks;
    passedHead = undefined;
    passedChunks = [];
    if (head !== undefined) {
      watcher.answerHead(head);
    }
    for (const chunk of chunks) {
      watcher.answerChunk(chunk);
    }
  };

  let writer: BodyWriter | undefined;
  const parser = createAnswerParser(
    {
      information(head) {
        if (head.statusCode === 100) {
          bodyAwaited = false;
          if (job.held === undefined) {
            outgoing.writeContinue();
          }
        } else {
          relayInformation(incoming, outgoing, head);
        }
      },
      head(head, framing) {
        relayHead({ incoming, outgoing, head, bodyAwaited, added: job.answerHeaders ?? [] });
        answered = true;
        lengthIsKnown = framing.kind === "length";
        passedHead = { status: head.statusCode, rawHeaders: head.rawHeaders };
        const relay = createBodyWriter(outgoing, {
          upstreamChunked: framing.kind === "chunked",
          onDrain: () => socket.resume(),
        });
        writer = relay;
        // The head leaves with the first bytes of the body if they are here already, else on its own, at once.
        setImmediate(() => {
          if (!ended && !outgoing.destroyed) {
            relay.flushHead();
          }
        });
      },
      body(framed, pieces) {
        if (writer?.write(framed, pieces) === false) {
          socket.pause();
        }
        passedChunks = passedChunks.length === 0 ? pieces : [...passedChunks, ...pieces];
      },
      end(rawTrailers) {
        if (rawTrailers.length > 0 && outgoing.chunkedEncoding) {
          outgoing.addTrailers(headerPairs(rawTrailers));
        }
        outgoing.end();
        end({ how: "whole" });
        drainUpload(incoming);
      },
    },
    { method: incoming.method ?? "GET", maxHeadBytes: MAX_HEADER_BYTES },
  );

  socket.once("connect", () => (connected = true));
  const relayAnswer = (bytes: Buffer): void => {
    if (ended) {
      return;
    }
    // Head, body and end that arrive together leave together.
    const client = outgoing.socket;
    client?.cork();
    try {
      parser.push(bytes);
    } catch (error) {
      upstreamFailed(error as NodeJS.ErrnoException);
    }
    client?.uncork();
    // Now that it is on its way.
    showPassed();
  };
  const closed = (): void => {
    if (!ended && !parser.closed()) {
      upstreamFailed(connectionCut(answered));
    }
  };
  socket.on("end", closed);
  socket.on("error", upstreamFailed);
  socket.on("close", closed);

  outgoing.on("close", () => leave({ how: "client-left" }));
  if (hasBody) {
    relayUpload(incoming, request, watcher, job.held);
  } else {
    request.end([], () => watcher.requestSent());
    incoming.resume();
  }
  return {
    stop: (reason) => leave({ how: "stopped", reason }),
    clientLeft: () => leave({ how: "client-left" }),
  };
}

function connectionCut(answered: boolean): NodeJS.ErrnoException {
  const where = answered ? "in the middle of the answer" : "before it answered";
  return Object.assign(new Error(`the connection closed ${where}`), { code: "ECONNRESET" });
}

function expectsContinue(incoming: IncomingMessage): boolean {
  return headerValue(incoming.rawHeaders, "expect")?.toLowerCase() === "100-continue";
}

/** Whether the request has a body at all, as far as its head says. */
export function bodyIsAnnounced(incoming: IncomingMessage): boolean {
  const length = headerValue(incoming.rawHeaders, "content-length");
  return (
    (length !== undefined && Number(length) !== 0) ||
    headerValue(incoming.rawHeaders, "transfer-encoding") !== undefined
  );
}

function relayUpload(
  incoming: IncomingMessage,
  request: UpstreamRequest,
  watcher: ForwardWatcher,
  held: HeldBody | undefined,
): void {
  const { socket } = request;
  let started = held !== undefined;
  for (const chunk of held?.chunks ?? []) {
    request.write(chunk);
  }
  if (held?.ended === true) {
    request.end(incoming.rawTrailers, () => watcher.requestSent());
    return;
  }
  if (socket.writableNeedDrain) {
    incoming.pause();
  }
  let notKept: Buffer[] = [];
  const settle = (): void => {
    if (socket.writableLength === 0) {
      notKept.forEach(freeMemory);
      notKept = [];
      watcher.requestSettled();
    }
  };
  let turnBytes = 0;
  const nextTurn = (): void => {
    turnBytes = 0;
    if (!socket.writableNeedDrain) {
      incoming.resume();
    }
  };
  socket.on("drain", () => {
    settle();
    if (turnBytes < UPLOAD_TURN_BYTES) {
      incoming.resume();
    }
  });
  incoming.on("data", (chunk: Buffer) => {
    started = true;
    if (socket.destroyed) {
      return;
    }
    if (!request.write(chunk)) {
      incoming.pause();
    }
    if (!watcher.requestChunk(chunk)) {
      notKept.push(chunk);
    }
    settle();
    turnBytes += chunk.length;
    if (turnBytes >= UPLOAD_TURN_BYTES) {
      incoming.pause();
      setImmediate(nextTurn);
    }
  });
  incoming.on("end", () => {
    started = true;
    if (!socket.destroyed) {
      request.end(incoming.rawTrailers, () => watcher.requestSent());
    }
  });
  // A client may send its head long before its body; Ollama may have an answer to the head alone.
  setImmediate(() => {
    if (!started && !socket.destroyed) {
      request.flushHead();
    }
  });
}

/**
 * At once: garbage of 64 KB a chunk would pile up to tens of megabytes, until V8 holds up every stream to collect it.
 */
function freeMemory(chunk: Buffer): void {
  if (ownsItsMemory(chunk)) {
    chunk.buffer.transfer(0);
  }
}

function relayInformation(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  information: AnswerHead,
): void {
  // 100 is asked for by the client, 101 cannot follow because no Upgrade is sent, and HTTP/1.0 knows no 1xx.
  if (information.statusCode === 100 || incoming.httpVersion !== "1.1" || outgoing.headersSent) {
    return;
  }
  const fields = headerPairs(clientHeaders(information.rawHeaders, { chunked: false }));
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  // Null while an earlier pipelined answer still owns the connection: an interim answer then has no place to go.
  outgoing.socket?.write(
    `HTTP/1.1 ${information.statusCode} ${information.statusMessage}\r\n${lines}\r\n`,
    "latin1",
  );
}

function relayHead(relay: {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  head: AnswerHead;
  bodyAwaited: boolean;
  added: readonly string[];
}): void {
  const { incoming, outgoing, head } = relay;
  const modern = incoming.httpVersion === "1.1";
  const chunked = modern && headerValue(head.rawHeaders, "transfer-encoding") !== undefined;
  outgoing.sendDate = false;
  if (relay.bodyAwaited) {
    // Whether the client still sends its body is open, so the connection cannot be used again, and it must be told.
    outgoing.shouldKeepAlive = false;
  }
  if (modern === outgoing.shouldKeepAlive) {
    // The protocol's own default needs no Connection field; Node would add one and a Keep-Alive with it.
    outgoing.removeHeader("connection");
  }
  outgoing.writeHead(head.statusCode, head.statusMessage, [
    ...clientHeaders(head.rawHeaders, { chunked }),
    ...relay.added,
  ]);
}

/** The client must see a broken connection, after the bytes that did arrive: a clean end would hide the loss. */
function cutOff(outgoing: ServerResponse, lengthIsKnown: boolean): void {
  const socket = outgoing.socket;
  if (socket === null || socket.destroyed) {
    return;
  }
  if (outgoing.chunkedEncoding || lengthIsKnown) {
    socket.destroySoon();
  } else if (socket.writableLength === 0) {
    socket.resetAndDestroy();
  } else {
    socket.once("drain", () => socket.resetAndDestroy());
  }
}

/** An answer can come before the upload ends. What is still on its way is thrown away, for a short time. */
function drainUpload(incoming: IncomingMessage): void {
  if (incoming.complete) {
    return;
  }
  incoming.resume();
  const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS);
  timer.unref();
  incoming.once("end", () => clearTimeout(timer));
}
