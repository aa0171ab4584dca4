/** A request body put aside for the thread, in pieces whose memory goes there without being copied. */
import { ownsItsMemory } from "./ownMemory.ts";

/** As long as what Node reads at a time, so that there are not more blocks than reads. */
const BLOCK_BYTES = 64 * 1024;
/** Shorter chunks are worth copying: tens of thousands of them cost the event loop long garbage collections. */
const TAKEN_BYTES = 16 * 1024;

/** A body that grows, in pieces whose memory can move to a thread. */
export interface BodyPieces {
  /** True when the chunk's own memory has become a piece, false when it was copied. */
  add(bytes: Uint8Array): boolean;
  /** All bytes since the last call, in order. */
  take(): Uint8Array<ArrayBuffer>[];
  /** Bytes that {@link take} would hand out. */
  byteLength(): number;
}

/**
 * With `takesChunks` long chunks become pieces as they are, and are gone for everybody else once the pieces have moved.
 * Copying them would double the memory that 20 MB of pictures take from the heap's allowance, which ends in a full
 * collection of some 10 ms.
 */
export function createBodyPieces({ takesChunks }: { takesChunks: boolean }): BodyPieces {
  let full: Uint8Array<ArrayBuffer>[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  let addedBytes = 0;

  const closeBlock = (): void => {
    if (used > 0) {
      full.push(block.subarray(0, used));
    }
    block = new Uint8Array(0);
    used = 0;
  };

  return {
    add(bytes) {
      addedBytes += bytes.length;
      if (takesChunks && bytes.length >= TAKEN_BYTES && ownsItsMemory(bytes)) {
        closeBlock();
        full.push(bytes);
        return true;
      }
      let start = 0;
      while (start < bytes.length) {
        if (used === block.length) {
          closeBlock();
          block = new Uint8Array(BLOCK_BYTES);
        }
        const part = bytes.subarray(start, start + block.length - used);
        block.set(part, used);
        used += part.length;
        start += part.length;
      }
      return false;
    },
    take() {
      closeBlock();
      const taken = full;
      full = [];
      addedBytes = 0;
      return taken;
    },
    byteLength: () => addedBytes,
  };
}
