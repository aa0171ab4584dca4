/**
 * One request to Ollama and its answer back, byte for byte. Nothing here parses, records or waits for anybody:
 * a watcher is shown what has already been passed on.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExchangeError } from "../types.ts";
import { createAnswerParser } from "./answerParser.ts";
import { bodyIsAnnounced, expectsContinue } from "./bodyAnnounced.ts";
import { createBodyWriter, type BodyWriter } from "./bodyWriter.ts";
import { headerPairs, headerValue } from "./headers.ts";
import { writeHead, writeInformation } from "./headWriter.ts";
import { drainUpload, relayUpload, type HeldBody, type UploadWatcher } from "./upload.ts";
import { MAX_HEADER_BYTES, type Upstream } from "./upstream.ts";

/** `cancelled` by the user, or `interrupted` because the process stops. */
export type StopReason = "cancelled" | "interrupted";

export type ForwardOutcome =
  | { how: "whole" }
  | { how: "client-left" }
  /** We ended it. */
  | { how: "stopped"; reason: StopReason }
  /** Answered by ourselves, because the guard is on and said no. */
  | { how: "refused"; error: ExchangeError }
  | { how: "upstream-failed"; phase: "connect" | "head" | "body"; error: NodeJS.ErrnoException };

interface PassedHead {
  status: number;
  rawHeaders: readonly string[];
}

/** The answer may begin before the request is sent; `end` comes last and exactly once, whatever happens. */
export interface ForwardWatcher extends UploadWatcher {
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
  /** Ollama gave no answer: the client is to have one of ours. */
  unanswered(error: NodeJS.ErrnoException): void;
}

export interface Forwarding {
  stop(reason: StopReason): void;
  /** The client has gone: its FIN was seen, or its connection closed. */
  clientLeft(): void;
}

/** Never throws; every end, a refused connection included, is told through `watcher.end`. */
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
    end({ how: "upstream-failed", phase: connected ? "head" : "connect", error });
    job.unanswered(error);
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
          if (job.held === undefined && incoming.httpVersion === "1.1") {
            outgoing.writeContinue();
          }
        } else {
          writeInformation(incoming, outgoing, head);
        }
      },
      head(head, framing) {
        writeHead({ incoming, outgoing, head, bodyAwaited, added: job.answerHeaders ?? [] });
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
    relayUpload(incoming, { request, watcher, held: job.held, isOver: () => ended });
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

/** The client must see a broken connection, after the bytes that did arrive: a clean end would hide the loss. */
function cutOff(outgoing: ServerResponse, lengthIsKnown: boolean): void {
  const { socket } = outgoing;
  if (socket === null) {
    // An earlier pipelined answer still owns the connection; what came of this one is written once that has ended.
    outgoing.once("socket", () => setImmediate(() => cutOff(outgoing, lengthIsKnown)));
  } else if (outgoing.chunkedEncoding || lengthIsKnown) {
    socket.destroySoon();
  } else {
    // Behind all that waits. `drain` would come only if so much waited that we were told to wait too.
    socket.write("", () => socket.resetAndDestroy());
  }
}
