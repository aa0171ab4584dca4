/** Writes the heads of an answer to the client: any number of 1xx, then the one that counts. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AnswerHead } from "./answerHead.ts";
import { clientHeaders, headerPairs, headerValue } from "./headers.ts";

/** An interim answer other than 100, where the client can take one. */
export function writeInformation(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  information: AnswerHead,
): void {
  // HTTP/1.0 knows no 1xx. 101 cannot come, because no Upgrade is sent.
  if (incoming.httpVersion !== "1.1" || outgoing.headersSent) {
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

/** `bodyAwaited`: the client has not been asked yet for a body that it holds back. `added`: fields of ours, behind the others. */
export function writeHead(relay: {
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
