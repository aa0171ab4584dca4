/**
 * Reads the framing of Ollama's answer while its bytes pass: where the head ends, where each chunk begins, where the
 * body is over. It hands on the bytes as they came, so that relaying them needs no framing of our own.
 */
import {
  findHeadEnd,
  HeadError,
  parseHead,
  readFraming,
  type AnswerHead,
  type Framing,
} from "./answerHead.ts";

/** Called in this order while one read is parsed. */
export interface AnswerListener {
  /** A 1xx answer; any number of them before `head`. */
  information(head: AnswerHead): void;
  head(head: AnswerHead, framing: Framing): void;
  /**
   * A part of the body: as it was framed (chunk sizes and line ends included, the last chunk never), and what it
   * carries, a piece for each chunk. `framed` holds whole chunks but for the first and the last, which may be cut.
   */
  body(framed: Buffer, pieces: readonly Buffer[]): void;
  end(rawTrailers: string[]): void;
}

export interface AnswerParser {
  /** Throws `HeadError` when the bytes are not HTTP/1.1. Bytes after the end are ignored. */
  push(bytes: Buffer): void;
  /** The connection has closed. True when that is a proper end. */
  closed(): boolean;
}

/** A chunk's size line with its extensions: Go sends five bytes. */
const LONGEST_LINE_BYTES = 4096;
const EMPTY = Buffer.alloc(0);
const PROTOCOL = Buffer.from("HTTP/1.");
const LF = 0x0a;
const CR = 0x0d;

type At = "size" | "data" | "data-end" | "trailers";

/** `method` is the request's: an answer to HEAD has no body whatever its head says. */
export function createAnswerParser(
  listener: AnswerListener,
  options: { method: string; maxHeadBytes: number },
): AnswerParser {
  let state: "head" | "body" | "done" = "head";
  let framing: Framing = { kind: "none" };
  /** An unfinished head, size line or trailer section. */
  let held: Buffer = EMPTY;
  let at: At = "size";
  let leftBytes = 0;

  const finish = (rawTrailers: string[] = []): void => {
    state = "done";
    listener.end(rawTrailers);
  };

  /** Answers what is left after a head, or undefined while it has not all arrived. */
  const readHead = (bytes: Buffer): Buffer | undefined => {
    const all = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    if (!beginsLikeHttp(all)) {
      // Waiting for the end of a head would mean waiting for ever.
      throw new HeadError("the answer does not begin as HTTP/1.1 does");
    }
    const end = findHeadEnd(all, Math.max(0, held.length - 3));
    if ((end ?? all.length) > options.maxHeadBytes) {
      throw new HeadError(`the answer's head is longer than ${options.maxHeadBytes} bytes`);
    }
    if (end === undefined) {
      held = all;
      return undefined;
    }
    held = EMPTY;
    const head = parseHead(all.subarray(0, end));
    if (head.statusCode >= 100 && head.statusCode < 200) {
      listener.information(head);
      return all.subarray(end);
    }
    framing = readFraming(head, options.method);
    state = "body";
    listener.head(head, framing);
    leftBytes = framing.kind === "length" ? framing.bytes : 0;
    if (framing.kind === "none" || (framing.kind === "length" && leftBytes === 0)) {
      finish();
    }
    return all.subarray(end);
  };

  const readPlain = (bytes: Buffer): void => {
    if (framing.kind === "until-close") {
      listener.body(bytes, [bytes]);
      return;
    }
    const part = bytes.length > leftBytes ? bytes.subarray(0, leftBytes) : bytes;
    leftBytes -= part.length;
    listener.body(part, [part]);
    if (leftBytes === 0) {
      finish();
    }
  };

  const readChunks = (fresh: Buffer): void => {
    const bytes = held.length === 0 ? fresh : Buffer.concat([held, fresh]);
    held = EMPTY;
    const pieces: Buffer[] = [];
    let index = 0;
    /** Up to here everything belongs to chunks that are not the last. */
    let relayable = 0;
    while (index < bytes.length && at !== "trailers") {
      if (at === "data") {
        const end = Math.min(bytes.length, index + leftBytes);
        pieces.push(index === 0 && end === bytes.length ? bytes : bytes.subarray(index, end));
        leftBytes -= end - index;
        index = end;
        relayable = index;
        if (leftBytes === 0) {
          at = "data-end";
        }
        continue;
      }
      if (at === "data-end") {
        if (bytes.length - index < 2) {
          break;
        }
        if (bytes[index] !== CR || bytes[index + 1] !== LF) {
          throw new HeadError("a chunk of the answer does not end where it said");
        }
        index += 2;
        relayable = index;
        at = "size";
        continue;
      }
      const lineEnd = bytes.indexOf(LF, index);
      if (lineEnd === -1) {
        if (bytes.length - index > LONGEST_LINE_BYTES) {
          throw new HeadError("a chunk's size line is too long");
        }
        break;
      }
      leftBytes = chunkSize(bytes, index, lineEnd);
      index = lineEnd + 1;
      if (leftBytes === 0) {
        at = "trailers";
      } else {
        at = "data";
        relayable = index;
      }
    }
    if (relayable > 0) {
      listener.body(relayable === bytes.length ? bytes : bytes.subarray(0, relayable), pieces);
    }
    if (at === "trailers") {
      readTrailers(bytes.subarray(index));
    } else if (relayable < bytes.length) {
      held = bytes.subarray(relayable);
    }
  };

  const readTrailers = (bytes: Buffer): void => {
    // As a head is closed by an empty line, so are trailers; without any the empty line is all there is.
    if (bytes.length >= 2 && bytes[0] === CR && bytes[1] === LF) {
      finish();
      return;
    }
    const end = findHeadEnd(bytes, 0);
    if ((end ?? bytes.length) > options.maxHeadBytes) {
      throw new HeadError("the answer's trailers are too long");
    }
    if (end === undefined) {
      held = bytes;
      return;
    }
    finish(parseHead(Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\n"), bytes.subarray(0, end)])).rawHeaders);
  };

  const readBody = (bytes: Buffer): void => {
    if (framing.kind !== "chunked") {
      readPlain(bytes);
    } else if (at !== "trailers") {
      readChunks(bytes);
    } else {
      const all = Buffer.concat([held, bytes]);
      held = EMPTY;
      readTrailers(all);
    }
  };

  const is = (wanted: typeof state): boolean => state === wanted;

  return {
    push(fresh) {
      let bytes = fresh;
      while (bytes.length > 0 && is("head")) {
        const rest = readHead(bytes);
        if (rest === undefined) {
          return;
        }
        bytes = rest;
      }
      if (bytes.length > 0 && is("body")) {
        readBody(bytes);
      }
    },
    closed() {
      if (state === "body" && framing.kind === "until-close") {
        finish();
      }
      return state === "done";
    },
  };
}

function beginsLikeHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PROTOCOL.length);
  return bytes.compare(PROTOCOL, 0, length, 0, length) === 0;
}

/** RFC 9112 §7.1: hexadecimal, then perhaps extensions, then a line end. */
function chunkSize(bytes: Buffer, from: number, lineEnd: number): number {
  let size = 0;
  let index = from;
  for (; index < lineEnd; index += 1) {
    const digit = hexDigit(bytes[index] ?? 0);
    if (digit === -1) {
      break;
    }
    size = size * 16 + digit;
  }
  const next = bytes[index];
  // 12 digits are 256 TiB; more would leave exact integers.
  if (index === from || index - from > 12 || bytes[lineEnd - 1] !== CR) {
    throw new HeadError("a chunk of the answer has no valid size");
  }
  if (index !== lineEnd - 1 && next !== 0x3b && next !== 0x20 && next !== 0x09) {
    throw new HeadError("a chunk of the answer has no valid size");
  }
  return size;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30;
  }
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
