/**
 * Reads HTTP/1.1 messages from a connection, for the driver and for the mock alike. Much less than a real parser: it
 * stands in the measured path on both ends, so it does nothing that the bench does not need.
 */
import { framingOf, parseHead, type Head } from "./head.ts";

export interface MessageEvents {
  head(head: Head): void;
  body(bytes: Buffer): void;
  end(): void;
}

export interface MessageReader {
  push(bytes: Buffer): void;
  /** The connection has ended; true if that was where a message may end. */
  close(): boolean;
}

type State = "head" | "sized" | "until-close" | "chunk-size" | "chunk-end" | "trailers";

const HEAD_LIMIT_BYTES = 64 * 1024;
const HEAD_END = "\r\n\r\n";

export function createMessageReader(kind: "request" | "answer", events: MessageEvents): MessageReader {
  let state: State = "head";
  let headBytes: Buffer = Buffer.alloc(0);
  let line = "";
  let remainingBytes = 0;
  let chunked = false;

  const finish = (): void => {
    state = "head";
    events.end();
  };

  const startBody = (head: Head): void => {
    const framing = framingOf(kind, head);
    const interim = kind === "answer" && / 1\d\d\b/.test(head.startLine);
    chunked = framing.kind === "chunked";
    remainingBytes = framing.kind === "length" ? framing.bytes : 0;
    if (interim) {
      return;
    }
    events.head(head);
    switch (framing.kind) {
      case "none":
        finish();
        break;
      case "length":
        state = "sized";
        break;
      case "chunked":
        state = "chunk-size";
        break;
      case "close":
        state = "until-close";
    }
  };

  const readHead = (bytes: Buffer, at: number): number => {
    const before = headBytes.length;
    headBytes = before === 0 ? bytes.subarray(at) : Buffer.concat([headBytes, bytes.subarray(at)]);
    const end = headBytes.indexOf(HEAD_END);
    if (end === -1) {
      if (headBytes.length > HEAD_LIMIT_BYTES) {
        throw new Error(`the head of an HTTP message is longer than ${HEAD_LIMIT_BYTES} bytes`);
      }
      return bytes.length;
    }
    const head = parseHead(headBytes.toString("latin1", 0, end));
    headBytes = Buffer.alloc(0);
    startBody(head);
    return at + end + HEAD_END.length - before;
  };

  const readSized = (bytes: Buffer, at: number): number => {
    const end = Math.min(bytes.length, at + remainingBytes);
    remainingBytes -= end - at;
    events.body(bytes.subarray(at, end));
    if (remainingBytes === 0) {
      if (chunked) {
        state = "chunk-end";
      } else {
        finish();
      }
    }
    return end;
  };

  const readLine = (bytes: Buffer, at: number): number => {
    const feed = bytes.indexOf(10, at);
    line += bytes.toString("latin1", at, feed === -1 ? bytes.length : feed);
    if (feed === -1) {
      return bytes.length;
    }
    const text = line.trimEnd();
    line = "";
    lineRead(text);
    return feed + 1;
  };

  const lineRead = (text: string): void => {
    if (state === "chunk-end") {
      state = "chunk-size";
    } else if (state === "chunk-size") {
      remainingBytes = Number.parseInt(text, 16);
      state = remainingBytes === 0 ? "trailers" : "sized";
    } else if (text === "") {
      finish();
    }
  };

  return {
    push(bytes) {
      let at = 0;
      while (at < bytes.length) {
        if (state === "sized") {
          at = readSized(bytes, at);
        } else if (state === "head") {
          at = readHead(bytes, at);
        } else if (state === "until-close") {
          events.body(at === 0 ? bytes : bytes.subarray(at));
          at = bytes.length;
        } else {
          at = readLine(bytes, at);
        }
      }
    },
    close() {
      if (state === "until-close") {
        finish();
        return true;
      }
      return state === "head" && headBytes.length === 0;
    },
  };
}
