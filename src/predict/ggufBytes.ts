import { ShapeProblem } from "./shapeProblem.ts";

/** Bytes of a file from an offset: fewer than asked for at its end, undefined beyond it. */
export type ReadBytes = (offset: number, length: number) => Uint8Array | undefined;

/** Reads a header from front to back. */
export interface ByteReader {
  uint32(what: string): number;
  /** A 64-bit number that a double can hold; a larger one is no length of anything. */
  uint64(what: string): number;
  bytes(length: number, what: string): DataView;
  skip(length: number, what: string): void;
  offset(): number;
}

const WINDOW_BYTES = 1024 * 1024;
/** The largest tokenizers take some 20 MiB; a header that goes on after this is lying. */
const LONGEST_HEADER_BYTES = 256 * 1024 * 1024;

/** Reads through a window of 1 MiB, so that what a header claims is never allocated. */
export function createByteReader(read: ReadBytes): ByteReader {
  let position = 0;
  let windowStart = 0;
  let window: Uint8Array = new Uint8Array(0);

  const ensure = (length: number, what: string): number => {
    if (position + length > LONGEST_HEADER_BYTES) {
      throw new ShapeProblem(
        "bad-gguf",
        `${what} at byte ${position} would make the header longer than 256 MiB`,
      );
    }
    if (position < windowStart || position + length > windowStart + window.length) {
      windowStart = position;
      window = read(position, Math.max(length, WINDOW_BYTES)) ?? new Uint8Array(0);
    }
    if (position + length > windowStart + window.length) {
      const end = windowStart + window.length;
      throw new ShapeProblem("truncated", `the file ends at byte ${end}, in the middle of ${what}`);
    }
    return position - windowStart;
  };

  const bytes = (length: number, what: string): DataView => {
    const start = ensure(length, what);
    position += length;
    return new DataView(window.buffer, window.byteOffset + start, length);
  };

  return {
    uint32: (what) => bytes(4, what).getUint32(0, true),
    uint64(what) {
      const value = bytes(8, what).getBigUint64(0, true);
      if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw new ShapeProblem("bad-gguf", `${what} is ${value}, more than any file holds`);
      }
      return Number(value);
    },
    bytes,
    skip(length, what) {
      if (position + length > LONGEST_HEADER_BYTES) ensure(length, what);
      position += length;
    },
    offset: () => position,
  };
}
