/**
 * Writes the chunks of an answer to its client. Node's own way makes three writes of each chunk; here the chunks that
 * arrive together are framed into one. They stay chunks of their own, and leave in the same turn of the event loop.
 */
import type { ServerResponse } from "node:http";

export interface ChunkWriter {
  /** False when the client is slower than Ollama: wait for `onDrain` before the next one. */
  write(chunk: Buffer): boolean;
  /** Sends what is still held, at once. */
  flush(): void;
}

/** Copying more than this costs more than the writes it saves. */
const LONGEST_COPIED_BYTES = 16 * 1024;
const LINE_END = Buffer.from("\r\n");

export function createChunkWriter(outgoing: ServerResponse, onDrain: () => void): ChunkWriter {
  let held: Buffer[] = [];
  let waiting = false;
  let headIsOut = false;

  const drained = (): void => {
    waiting = false;
    onDrain();
  };

  const flush = (): void => {
    const { socket } = outgoing;
    const frames = held;
    held = [];
    if (frames.length === 0 || socket === null || socket.destroyed) {
      return;
    }
    const first = frames[0];
    const bytes = frames.length === 1 && first !== undefined ? first : Buffer.concat(frames);
    if (!socket.write(bytes) && !waiting) {
      waiting = true;
      socket.once("drain", drained);
    }
  };

  const hold = (chunk: Buffer): void => {
    held.push(outgoing.chunkedEncoding ? frame(chunk) : chunk);
    if (held.length === 1) {
      queueMicrotask(flush);
    }
  };

  return {
    write(chunk) {
      // Node sends the head with the first chunk, and owns the connection while an earlier pipelined answer still goes.
      const ownedByNode =
        outgoing.socket === null || outgoing.writableLength > outgoing.socket.writableLength;
      if (headIsOut && !ownedByNode && chunk.length <= LONGEST_COPIED_BYTES) {
        hold(chunk);
        return !waiting && !(outgoing.socket?.writableNeedDrain ?? false);
      }
      flush();
      headIsOut = true;
      const free = outgoing.write(chunk);
      if (!free && !waiting) {
        waiting = true;
        outgoing.once("drain", drained);
      }
      return free;
    },
    flush,
  };
}

/** RFC 9112 §7.1: length in hexadecimal, the bytes, each followed by a line end. */
function frame(chunk: Buffer): Buffer {
  const length = chunk.length.toString(16);
  const framed = Buffer.allocUnsafe(length.length + 2 + chunk.length + 2);
  framed.write(length, 0, "latin1");
  LINE_END.copy(framed, length.length);
  chunk.copy(framed, length.length + 2);
  LINE_END.copy(framed, framed.length - 2);
  return framed;
}
