/**
 * One request to Ollama and its answer back, byte for byte. Nothing here parses, records or waits for anybody:
 * a watcher is shown what has already been passed on.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { createChunkWriter } from "./chunkWriter.ts";
import { clientHeaders, headerPairs, headerValue } from "./headers.ts";
import type { Upstream } from "./upstream.ts";

export type ForwardOutcome =
  | { how: "whole" }
  | { how: "client-left" }
  /** We ended it: asked to by the user, or because the process stops. */
  | { how: "stopped"; reason: "cancelled" | "interrupted" }
  | { how: "upstream-failed"; phase: "connect" | "head" | "body"; error: NodeJS.ErrnoException };

/** Called in this order; `end` exactly once, whatever happens. */
export interface ForwardWatcher {
  requestChunk(chunk: Buffer): void;
  /** The whole request has been handed to Ollama's connection: there is time to look at it now. */
  requestSent(): void;
  answerHead(head: { status: number; rawHeaders: readonly string[] }): void;
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

export function forward(job: ForwardJob): Forwarding {
  const { incoming, outgoing, watcher } = job;
  const hasBody = bodyIsAnnounced(incoming);
  const pooled = !hasBody && (incoming.method === "GET" || incoming.method === "HEAD");
  let request: ClientRequest;
  let answer: IncomingMessage | undefined;
  let bodyAwaited = expectsContinue(incoming);
  let ended = false;

  const end = (outcome: ForwardOutcome): void => {
    ended = true;
    if (outcome.how !== "whole" || !request.writableFinished) {
      request.destroy();
    }
    // Book-keeping waits until the sockets have been served: the last bytes of this answer, the first of another.
    setImmediate(() => watcher.end(outcome));
  };

  const leave = (outcome: ForwardOutcome): void => {
    if (!ended) {
      end(outcome);
      outgoing.destroy();
    }
  };

  const upstreamFailed = (error: NodeJS.ErrnoException): void => {
    if (ended) {
      return;
    }
    if (answer !== undefined) {
      end({ how: "upstream-failed", phase: "body", error });
      cutOff(outgoing, answer);
      return;
    }
    const phase = request.socket === null || request.socket.connecting ? "connect" : "head";
    end({ how: "upstream-failed", phase, error });
    job.refuse(error, phase);
    drainUpload(incoming);
  };

  const send = (attempt: number): void => {
    request = job.upstream.request({
      method: incoming.method ?? "GET",
      path: job.target,
      headers: job.headers,
      pooled,
    });
    request.on("continue", () => {
      bodyAwaited = false;
      outgoing.writeContinue();
    });
    request.on("information", (information) => relayInformation(incoming, outgoing, information));
    request.on("error", (error: NodeJS.ErrnoException) => {
      const silentlyClosed = pooled && request.reusedSocket && answer === undefined;
      if (silentlyClosed && attempt === 0 && !ended) {
        send(1);
      } else {
        upstreamFailed(error);
      }
    });
    request.on("response", (response) => {
      answer = response;
      try {
        relayHead({ incoming, outgoing, answer: response, bodyAwaited });
      } catch (error) {
        answer = undefined;
        upstreamFailed(error as NodeJS.ErrnoException);
        return;
      }
      watcher.answerHead({ status: response.statusCode ?? 0, rawHeaders: response.rawHeaders });
      relayBody(outgoing, response, {
        chunk: (chunk) => watcher.answerChunk(chunk),
        whole: () => {
          if (!ended) {
            end({ how: "whole" });
            drainUpload(incoming);
          }
        },
        cut: upstreamFailed,
      });
    });
    request.once("finish", () => watcher.requestSent());
    if (!hasBody) {
      request.end();
    }
  };

  send(0);
  outgoing.on("close", () => leave({ how: "client-left" }));
  if (hasBody) {
    relayUpload(incoming, () => request, watcher);
  } else {
    incoming.resume();
  }
  return {
    stop: (reason) => leave({ how: "stopped", reason }),
    clientLeft: () => leave({ how: "client-left" }),
  };
}

function expectsContinue(incoming: IncomingMessage): boolean {
  return headerValue(incoming.rawHeaders, "expect")?.toLowerCase() === "100-continue";
}

function bodyIsAnnounced(incoming: IncomingMessage): boolean {
  const length = headerValue(incoming.rawHeaders, "content-length");
  return (
    (length !== undefined && Number(length) !== 0) ||
    headerValue(incoming.rawHeaders, "transfer-encoding") !== undefined
  );
}

function relayUpload(incoming: IncomingMessage, current: () => ClientRequest, watcher: ForwardWatcher): void {
  let started = false;
  incoming.on("data", (chunk: Buffer) => {
    started = true;
    const request = current();
    if (request.destroyed) {
      return;
    }
    if (!request.write(chunk)) {
      incoming.pause();
      request.once("drain", () => incoming.resume());
    }
    watcher.requestChunk(chunk);
  });
  incoming.on("end", () => {
    started = true;
    const request = current();
    if (!request.destroyed) {
      if (incoming.rawTrailers.length > 0) {
        request.addTrailers(headerPairs(incoming.rawTrailers));
      }
      request.end();
    }
  });
  // A client may send its head long before its body; Ollama may have an answer to the head alone.
  setImmediate(() => {
    if (!started && !current().destroyed) {
      current().flushHeaders();
    }
  });
}

function relayInformation(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  information: { statusCode: number; statusMessage: string; rawHeaders: readonly string[] },
): void {
  // 100 has an event of its own, 101 cannot follow because no Upgrade is sent, and HTTP/1.0 knows no 1xx.
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
  answer: IncomingMessage;
  bodyAwaited: boolean;
}): void {
  const { incoming, outgoing, answer } = relay;
  const modern = incoming.httpVersion === "1.1";
  const chunked = modern && headerValue(answer.rawHeaders, "transfer-encoding") !== undefined;
  outgoing.sendDate = false;
  if (relay.bodyAwaited) {
    // Whether the client still sends its body is open, so the connection cannot be used again, and it must be told.
    outgoing.shouldKeepAlive = false;
  }
  if (modern === outgoing.shouldKeepAlive) {
    // The protocol's own default needs no Connection field; Node would add one and a Keep-Alive with it.
    outgoing.removeHeader("connection");
  }
  outgoing.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? "",
    clientHeaders(answer.rawHeaders, { chunked }),
  );
}

function relayBody(
  outgoing: ServerResponse,
  answer: IncomingMessage,
  then: { chunk(chunk: Buffer): void; whole(): void; cut(error: NodeJS.ErrnoException): void },
): void {
  let sent = false;
  const writer = createChunkWriter(outgoing, () => answer.resume());
  answer.on("data", (chunk: Buffer) => {
    sent = true;
    if (!writer.write(chunk)) {
      answer.pause();
    }
    then.chunk(chunk);
  });
  answer.on("end", () => {
    sent = true;
    if (answer.complete) {
      writer.flush();
      if (answer.rawTrailers.length > 0 && outgoing.chunkedEncoding) {
        outgoing.addTrailers(headerPairs(answer.rawTrailers));
      }
      outgoing.end();
      then.whole();
    }
  });
  const cut = (error: Error): void => {
    writer.flush();
    then.cut(error);
  };
  answer.on("error", cut);
  answer.on("close", () => cut(new Error("the connection closed in the middle of the answer")));
  // The head leaves with the first bytes of the body if they are here already, else on its own, at once.
  setImmediate(() => {
    if (!sent && !outgoing.destroyed) {
      outgoing.flushHeaders();
    }
  });
}

/** The client must see a broken connection, after the bytes that did arrive: a clean end would hide the loss. */
function cutOff(outgoing: ServerResponse, answer: IncomingMessage): void {
  const socket = outgoing.socket;
  if (socket === null || socket.destroyed) {
    return;
  }
  const endIsVisible =
    outgoing.chunkedEncoding || headerValue(answer.rawHeaders, "content-length") !== undefined;
  if (endIsVisible) {
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
