/** Writes an answer's head and the parts of its body to the client, each in the turn of the event loop in which it arrived. */
import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { frameChunk } from "./upstream.ts";

export interface BodyWriter {
  /** The head leaves now if it has not yet. */
  flushHead(): void;
  /**
   * `framed` as it came from Ollama, `pieces` what it carries. False when the client is slower than Ollama: wait for
   * `onDrain` before the next one.
   */
  write(framed: Buffer, pieces: readonly Buffer[]): boolean;
}

const NOTHING = Buffer.alloc(0);

/**
 * Where both connections are chunked, or neither is, bytes are passed on as they are; else each piece is framed anew,
 * or taken out of its frame.
 */
export function createBodyWriter(
  outgoing: ServerResponse,
  options: { upstreamChunked: boolean; onDrain: () => void },
): BodyWriter {
  let waiting = false;
  let headIsOut = false;
  let asItIs = outgoing.chunkedEncoding === options.upstreamChunked;

  const drained = (): void => {
    waiting = false;
    options.onDrain();
  };
  const waitUnless = (free: boolean, stream: Writable): boolean => {
    if (!free && !waiting) {
      waiting = true;
      stream.once("drain", drained);
    }
    return !waiting;
  };
  const flushHead = (): void => {
    if (!headIsOut) {
      headIsOut = true;
      // Node's own `flushHeaders` writes as UTF-8 what it has read as Latin-1, so other bytes than ASCII would double.
      outgoing.write(NOTHING);
    }
  };

  return {
    flushHead,
    write(framed, pieces) {
      const { socket } = outgoing;
      if (socket === null || outgoing.writableLength > socket.writableLength) {
        // While an earlier pipelined answer still goes, Node owns the connection and frames what it keeps for us; after
        // that the rest of a chunk would have no beginning.
        asItIs = false;
        headIsOut = true;
        return waitUnless(pieces.map((piece) => outgoing.write(piece)).every(Boolean), outgoing);
      }
      flushHead();
      const bytes = asItIs ? framed : joined(outgoing.chunkedEncoding ? pieces.map(frameChunk) : pieces);
      return bytes.length === 0 || socket.destroyed || waitUnless(socket.write(bytes), socket);
    },
  };
}

function joined(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
