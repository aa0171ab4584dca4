/** Lines of a byte stream, cut anywhere. */
import { asBuffer } from "./asBuffer.ts";

const LF = 0x0a;
const CR = 0x0d;
const FIRST_PENDING_BYTES = 4096;

export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** The stream is over: a last line without its line end still counts. */
  end(): void;
}

export interface LineSplitterOptions {
  maxLineBytes: number;
  /** A line without its end. The bytes are only valid during the call. */
  onLine(line: Buffer): void;
  /** A line longer than `maxLineBytes` was left out; the next one is read again. */
  onOversize(): void;
  /** Whether a lone CR ends a line too, as it does in an event stream. LF and CRLF always do. */
  crEndsLine?: boolean;
}

/**
 * Cuts a byte stream into lines, wherever the chunks were cut: it looks at bytes, so a character split between two
 * chunks is whole again in its line. Every byte is copied at most a constant number of times, and no more than
 * `maxLineBytes` are held.
 */
export function createLineSplitter(options: LineSplitterOptions): LineSplitter {
  const { maxLineBytes, onLine, onOversize, crEndsLine = false } = options;
  let pending = Buffer.alloc(0);
  let pendingBytes = 0;
  let skipping = false;
  let afterCr = false;

  /** Keeps the beginning of a line whose end has not come yet. */
  function keep(part: Buffer): void {
    if (skipping || part.length === 0) {
      return;
    }
    const neededBytes = pendingBytes + part.length;
    if (neededBytes > maxLineBytes) {
      skipping = true;
      pending = Buffer.alloc(0);
      pendingBytes = 0;
      onOversize();
      return;
    }
    if (neededBytes > pending.length) {
      const roomyBytes = Math.max(neededBytes, 2 * pending.length, FIRST_PENDING_BYTES);
      const grown = Buffer.allocUnsafe(Math.min(roomyBytes, maxLineBytes));
      pending.copy(grown, 0, 0, pendingBytes);
      pending = grown;
    }
    part.copy(pending, pendingBytes);
    pendingBytes = neededBytes;
  }

  function finishLine(part: Buffer): void {
    if (pendingBytes === 0 && !skipping && part.length <= maxLineBytes) {
      onLine(withoutCr(part));
      return;
    }
    keep(part);
    if (!skipping) {
      onLine(withoutCr(pending.subarray(0, pendingBytes)));
    }
    skipping = false;
    pendingBytes = 0;
  }

  function push(chunk: Uint8Array): void {
    const bytes = asBuffer(chunk);
    let start = afterCr && bytes[0] === LF ? 1 : 0;
    if (bytes.length > 0) {
      afterCr = false;
    }
    let nextLf = bytes.indexOf(LF, start);
    let nextCr = crEndsLine ? bytes.indexOf(CR, start) : -1;
    while (nextLf !== -1 || nextCr !== -1) {
      const atCr = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf);
      const end = atCr ? nextCr : nextLf;
      finishLine(bytes.subarray(start, end));
      start = end + 1;
      if (atCr) {
        afterCr = start === bytes.length;
        if (nextLf === start) {
          start += 1;
        }
        nextCr = bytes.indexOf(CR, start);
      }
      if (nextLf !== -1 && nextLf < start) {
        nextLf = bytes.indexOf(LF, start);
      }
    }
    keep(bytes.subarray(start));
  }

  return {
    push,
    end() {
      if (pendingBytes > 0) {
        finishLine(Buffer.alloc(0));
      }
      skipping = false;
    },
  };
}

function withoutCr(line: Buffer): Buffer {
  return line[line.length - 1] === CR ? line.subarray(0, -1) : line;
}
