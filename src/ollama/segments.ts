const SEGMENT_BYTES = 1024 * 1024;

/** A growing copy of bytes. */
export interface Segments {
  add(bytes: Uint8Array): void;
  /** All bytes in order. Nothing may be added afterwards. */
  pieces(): Uint8Array<ArrayBuffer>[];
}

/**
 * Copies bytes into large blocks of their own. One block a megabyte instead of one a chunk: thousands of small ones
 * cost the event loop garbage collections of several milliseconds while they come in.
 */
export function createSegments(): Segments {
  const full: Uint8Array<ArrayBuffer>[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  return {
    add(bytes) {
      let start = 0;
      while (start < bytes.length) {
        if (used === block.length) {
          full.push(block);
          block = new Uint8Array(SEGMENT_BYTES);
          used = 0;
        }
        const part = bytes.subarray(start, start + block.length - used);
        block.set(part, used);
        used += part.length;
        start += part.length;
      }
    },
    pieces: () => [...full, block.subarray(0, used)].filter((piece) => piece.length > 0),
  };
}
