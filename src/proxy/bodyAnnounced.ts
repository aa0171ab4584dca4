/** What a request's head says of the body behind it. */
import type { IncomingMessage } from "node:http";
import { headerValue } from "./headers.ts";

/** Whether the request has a body at all, as far as its head says. */
export function bodyIsAnnounced(incoming: IncomingMessage): boolean {
  const length = headerValue(incoming.rawHeaders, "content-length");
  return (
    (length !== undefined && Number(length) !== 0) ||
    headerValue(incoming.rawHeaders, "transfer-encoding") !== undefined
  );
}

/** Bytes by `Content-Length`; 0 where the body comes in chunks, or there is none. */
export function announcedBytes(incoming: IncomingMessage): number {
  return Number(headerValue(incoming.rawHeaders, "content-length") ?? 0);
}

/** The client waits to be asked for its body. HTTP/1.0 knows no such question, nor its answer (RFC 9110 §10.1.1). */
export function expectsContinue(incoming: IncomingMessage): boolean {
  return (
    incoming.httpVersion === "1.1" &&
    headerValue(incoming.rawHeaders, "expect")?.toLowerCase() === "100-continue"
  );
}
