/**
 * The body of one request, from the client to Ollama: no faster than Ollama takes it, never so fast that other streams
 * wait, and no garbage left behind.
 */
import type { IncomingMessage } from "node:http";
import { ownsItsMemory } from "../ollama/ownMemory.ts";
import type { UpstreamRequest } from "./upstream.ts";

/** What was kept back of a body before it may go on. */
export interface HeldBody {
  chunks: Buffer[];
  /** The client has sent all of it. */
  ended: boolean;
}

/** Called in this order. */
export interface UploadWatcher {
  /** True when the watcher keeps the chunk; one that is not kept is gone once it has been sent. */
  requestChunk(chunk: Buffer): boolean;
  /** All chunks so far have been handed to the system: what was kept of them is the watcher's alone. */
  requestSettled(): void;
  /** The whole request has been handed to Ollama's connection: there is time to look at it now. */
  requestSent(): void;
}

/** How long a client may go on uploading after its answer is complete, so that a reset does not eat the answer. */
const LINGER_MS = 2000;
/** Of a fast upload Node reads 2 MB at a time, for which every other stream would wait. */
const UPLOAD_TURN_BYTES = 256 * 1024;
/** What a chunk counts for beside its bytes: one read of chunks of a byte each takes 0.1 s. */
const CHUNK_BYTES = 512;

/** The head leaves with the first bytes of the body. `held` goes first: the watcher has been shown it already. */
export function relayUpload(
  incoming: IncomingMessage,
  to: {
    request: UpstreamRequest;
    watcher: UploadWatcher;
    held: HeldBody | undefined;
    /** The exchange has ended: what still comes is thrown away. */
    isOver(): boolean;
  },
): void {
  const { request, watcher, held, isOver } = to;
  const { socket } = request;
  let started = held !== undefined;
  for (const chunk of held?.chunks ?? []) {
    request.write(chunk);
  }
  if (held?.ended === true) {
    request.end(incoming.rawTrailers, () => watcher.requestSent());
    return;
  }
  if (socket.writableNeedDrain) {
    incoming.pause();
  }
  let notKept: Buffer[] = [];
  const settle = (): void => {
    if (socket.writableLength === 0) {
      notKept.forEach(freeMemory);
      notKept = [];
      watcher.requestSettled();
    }
  };
  let turnBytes = 0;
  const nextTurn = (): void => {
    turnBytes = 0;
    if (!socket.writableNeedDrain) {
      incoming.resume();
    }
  };
  socket.on("drain", () => {
    settle();
    if (turnBytes < UPLOAD_TURN_BYTES) {
      incoming.resume();
    }
  });
  incoming.on("data", (chunk: Buffer) => {
    started = true;
    // A write to a connection that is about to be closed may say "wait", and no `drain` would ever follow.
    if (isOver() || socket.destroyed) {
      return;
    }
    if (!request.write(chunk)) {
      incoming.pause();
    }
    if (!watcher.requestChunk(chunk)) {
      notKept.push(chunk);
    }
    settle();
    turnBytes += chunk.length + CHUNK_BYTES;
    if (turnBytes >= UPLOAD_TURN_BYTES) {
      incoming.pause();
      setImmediate(nextTurn);
    }
  });
  incoming.on("end", () => {
    started = true;
    if (!socket.destroyed) {
      request.end(incoming.rawTrailers, () => watcher.requestSent());
    }
  });
  // A client may send its head long before its body; Ollama may have an answer to the head alone.
  setImmediate(() => {
    if (!started && !socket.destroyed) {
      request.flushHead();
    }
  });
}

/**
 * At once: garbage of 64 KB a chunk would pile up to tens of megabytes, until V8 holds up every stream to collect it.
 */
function freeMemory(chunk: Buffer): void {
  if (ownsItsMemory(chunk)) {
    chunk.buffer.transfer(0);
  }
}

/** An answer can come before the upload ends. What is still on its way is thrown away, for a short time. */
export function drainUpload(incoming: IncomingMessage): void {
  if (incoming.complete) {
    return;
  }
  incoming.resume();
  const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS);
  timer.unref();
  incoming.once("end", () => clearTimeout(timer));
}
