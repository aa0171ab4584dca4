/** The head of an answer: status line, fields as sent, and how its body is framed (RFC 9112 §4, §5, §6.3). */
import { headerValues } from "./headers.ts";

export interface AnswerHead {
  statusCode: number;
  statusMessage: string;
  /** `[name, value, name, value, …]`, names and order as sent. */
  rawHeaders: string[];
}

export type Framing =
  | { kind: "none" }
  | { kind: "length"; bytes: number }
  | { kind: "chunked" }
  | { kind: "until-close" };

/** What arrived is not an HTTP/1.1 answer. The message names what is wrong, never what was sent. */
export class HeadError extends Error {
  override name = "HeadError";
  readonly code = "not-http";
}

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/s;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// eslint-disable-next-line no-control-regex -- exactly these must not pass
const FORBIDDEN_IN_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** Index after the empty line that ends a head, looking from `from` on; undefined while it has not arrived. */
export function findHeadEnd(bytes: Buffer, from: number): number | undefined {
  const index = bytes.indexOf("\r\n\r\n", from, "latin1");
  return index === -1 ? undefined : index + 4;
}

/** Throws `HeadError`. `bytes` end with the empty line. */
export function parseHead(bytes: Buffer): AnswerHead {
  const [statusLine = "", ...fields] = bytes.toString("latin1", 0, bytes.length - 4).split("\r\n");
  const match = STATUS_LINE.exec(statusLine);
  if (match === null || FORBIDDEN_IN_VALUE.test(statusLine)) {
    throw new HeadError("the answer does not begin as HTTP/1.1 does");
  }
  const rawHeaders: string[] = [];
  for (const field of fields) {
    const colon = field.indexOf(":");
    const name = field.slice(0, colon);
    const value = withoutBlanks(field.slice(colon + 1));
    if (colon < 1 || !TOKEN.test(name) || FORBIDDEN_IN_VALUE.test(value)) {
      throw new HeadError("a header field of the answer is not valid HTTP/1.1");
    }
    rawHeaders.push(name, value);
  }
  return { statusCode: Number(match[1]), statusMessage: match[2] ?? "", rawHeaders };
}

/** A pattern for the blanks at the end would try each blank in the middle: minutes, for a megabyte of them. */
function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) {
    from += 1;
  }
  while (to > from && isBlank(text.charCodeAt(to - 1))) {
    to -= 1;
  }
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Throws `HeadError` where two framings contradict each other: the next hop might take the other one. */
export function readFraming(head: AnswerHead, method: string): Framing {
  const codings = headerValues(head.rawHeaders, "transfer-encoding");
  const lengths = headerValues(head.rawHeaders, "content-length");
  const length = lengths[0];
  if (length !== undefined && (!/^\d{1,15}$/.test(length) || lengths.some((other) => other !== length))) {
    throw new HeadError("the answer's Content-Length is not valid");
  }
  if (codings.length > 0 && length !== undefined) {
    throw new HeadError("the answer has both Content-Length and Transfer-Encoding");
  }
  if (method === "HEAD" || head.statusCode === 204 || head.statusCode === 304) {
    return { kind: "none" };
  }
  if (codings.length > 0) {
    const last = codings.join(",").split(",").at(-1)?.trim().toLowerCase();
    return last === "chunked" ? { kind: "chunked" } : { kind: "until-close" };
  }
  return length === undefined ? { kind: "until-close" } : { kind: "length", bytes: Number(length) };
}
