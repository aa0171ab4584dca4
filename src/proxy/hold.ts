/**
 * Keeps a request back until it is whole and judged. Only the guard does this, and only when it is turned on: then a
 * prompt waits for its last byte before its first one goes on.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { expectsContinue } from "./bodyAnnounced.ts";
import { createChunkList } from "../ollama/chunkList.ts";
import type { ForwardOutcome, ForwardWatcher, Forwarding } from "./forward.ts";
import type { HeldBody } from "./upload.ts";

export interface Held extends Forwarding {
  body(): HeldBody;
  /** Lets the request go on; without effect when the client has left. */
  release(): void;
  /** The client was answered by ourselves: Ollama never sees the request. False when the client has left. */
  answered(outcome: ForwardOutcome): boolean;
}

/** Bytes that all held requests may take together. */
export interface HoldRoom {
  usedBytes: number;
}

/** A body up to here is held: what is longer is not read either, so it could not be judged. */
export const LONGEST_HELD_BYTES = 32 * 1024 * 1024;
const HELD_TOGETHER_BYTES = 128 * 1024 * 1024;

export function hold(job: {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  watcher: ForwardWatcher;
  room: HoldRoom;
  /** Called at most once: with what was held, when the request goes on. */
  forward(held: HeldBody): Forwarding;
  /** It goes on unjudged, because it is too large to be held. */
  tooLarge(): void;
}): Held {
  const { incoming, outgoing, watcher, room } = job;
  let forwarding: Forwarding | undefined;
  let over = false;
  let heldBytes = 0;
  let chunks = createChunkList();
  let ended = false;
  const held = (): HeldBody => ({ chunks: chunks.all(), ended });

  const letGo = (): void => {
    incoming.off("data", keep);
    incoming.off("end", whole);
    room.usedBytes -= heldBytes;
    heldBytes = 0;
  };

  const release = (): void => {
    if (!over && forwarding === undefined) {
      letGo();
      forwarding = job.forward(held());
      chunks = createChunkList();
    }
  };

  const answered = (outcome: ForwardOutcome): boolean => {
    if (over || forwarding !== undefined) {
      return false;
    }
    over = true;
    letGo();
    chunks = createChunkList();
    setImmediate(() => watcher.end(outcome));
    return true;
  };

  const leave = (outcome: ForwardOutcome): void => {
    if (answered(outcome)) {
      outgoing.destroy();
    }
  };

  const keep = (chunk: Buffer): void => {
    chunks.add(chunk);
    heldBytes += chunk.length;
    room.usedBytes += chunk.length;
    watcher.requestChunk(chunk);
    if (heldBytes > LONGEST_HELD_BYTES || room.usedBytes > HELD_TOGETHER_BYTES) {
      job.tooLarge();
      release();
    }
  };

  const whole = (): void => {
    ended = true;
    watcher.requestSent();
  };

  incoming.on("data", keep);
  incoming.on("end", whole);
  outgoing.on("close", () => leave({ how: "client-left" }));
  if (expectsContinue(incoming)) {
    // The client waits for this before it sends what is to be judged.
    outgoing.writeContinue();
  }
  return {
    body: held,
    release,
    answered,
    stop: (reason) =>
      forwarding === undefined ? leave({ how: "stopped", reason }) : forwarding.stop(reason),
    clientLeft: () => (forwarding === undefined ? leave({ how: "client-left" }) : forwarding.clientLeft()),
  };
}
