/** Takes what a relay has kept apart into HTTP messages, enough of it to compare the two sides of a proxy. */
import type { Relay } from "./relay.ts";

export interface Message {
  startLine: string;
  /** In order, but for those that belong to a connection and not to a message, and `Host`. */
  fields: string[];
  body: string;
  /** False where the connection ended before the message did. */
  whole: boolean;
}

export interface Pair {
  request: Message;
  answer: Message | undefined;
}

const OF_THE_CONNECTION = /^(host|connection|keep-alive|proxy-connection|te|trailer|upgrade):/i;

/** Every exchange of every connection, by the order in which connections were made. */
export function exchangesOf({ wires }: Relay): Pair[] {
  return wires.flatMap(({ sent, answered }) => {
    const requests = messagesOf(Buffer.concat(sent), () => false);
    const answers = messagesOf(
      Buffer.concat(answered),
      (index) => requests[index]?.startLine.startsWith("HEAD ") ?? false,
    );
    return requests.map((request, index) => ({ request, answer: answers[index] }));
  });
}

function messagesOf(bytes: Buffer, hasNoBody: (index: number) => boolean): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf("\r\n\r\n", at);
    if (end === -1) break;
    const [startLine = "", ...fields] = bytes.toString("latin1", at, end).split("\r\n");
    const framing = hasNoBody(messages.length)
      ? { next: end + 4, body: "", whole: true }
      : bodyOf(bytes, end + 4, startLine, fields);
    at = framing.next;
    if (/^HTTP\/1\.1 1\d\d/.test(startLine)) continue;
    messages.push({
      startLine,
      fields: fields.filter((field) => !OF_THE_CONNECTION.test(field)),
      body: framing.body,
      whole: framing.whole,
    });
  }
  return messages;
}

function bodyOf(
  bytes: Buffer,
  from: number,
  startLine: string,
  fields: readonly string[],
): { next: number; body: string; whole: boolean } {
  const value = (name: string): string | undefined =>
    fields
      .find((field) => field.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  if (value("transfer-encoding")?.toLowerCase() === "chunked") {
    // With its framing: chunks must stay as they were.
    const end = bytes.indexOf("0\r\n\r\n", from) === from ? from : bytes.indexOf("\r\n0\r\n\r\n", from);
    const next = end === -1 ? bytes.length : end + (end === from ? 5 : 7);
    return { next, body: bytes.toString("latin1", from, next), whole: end !== -1 };
  }
  const length = value("content-length");
  if (length === undefined) {
    const untilClose = startLine.startsWith("HTTP/") && !/^HTTP\/1\.1 (204|304)/.test(startLine);
    return {
      next: untilClose ? bytes.length : from,
      body: untilClose ? bytes.toString("latin1", from) : "",
      whole: true,
    };
  }
  const next = Math.min(bytes.length, from + Number(length));
  return { next, body: bytes.toString("latin1", from, next), whole: next === from + Number(length) };
}
