import { asBuffer } from "./asBuffer.ts";

/** So many chunks are kept as they came; each takes some 600 bytes beside its own. */
const RUN = 1024;

/** A body kept by its chunks. */
export interface ChunkList {
  add(chunk: Uint8Array): void;
  /** All bytes in order, in fewer chunks than came where those are small. */
  all(): Buffer[];
}

/**
 * A client may cut 32 MB into chunks of one byte: kept one by one they would take 20 GB, so that a run of them is made
 * into one. A run of long ones is longer than any body that is kept.
 */
export function createChunkList(): ChunkList {
  const merged: Buffer[] = [];
  let run: Uint8Array[] = [];
  return {
    add(chunk) {
      run.push(chunk);
      if (run.length === RUN) {
        merged.push(Buffer.concat(run));
        run = [];
      }
    },
    all: () => [...merged, ...run.map(asBuffer)],
  };
}
