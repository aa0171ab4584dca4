/** Thread that reads the large request bodies, so that one client's picture never delays another client's tokens. */
import { parentPort } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import { readRequest, type RequestContext } from "./request.ts";

/** A part of a body. Its pieces come in order; with the last of them comes what it is to be read as. */
export interface RequestPart {
  id: number;
  /** Cut anywhere. */
  pieces: Uint8Array<ArrayBuffer>[];
  /** Only with the last part. */
  context?: RequestContext;
  /** The body is given up: nothing more of it will come. */
  dropped?: true;
}

export interface RequestAnswer {
  id: number;
  facts: RequestFacts;
}

const bodies = new Map<number, Uint8Array[]>();

parentPort?.on("message", ({ id, pieces, context, dropped }: RequestPart) => {
  const body = bodies.get(id) ?? [];
  body.push(...pieces);
  if (context === undefined && dropped === undefined) {
    bodies.set(id, body);
    return;
  }
  bodies.delete(id);
  if (context !== undefined) {
    const facts = readRequest(Buffer.concat(body), context);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
    parentPort?.postMessage({ id, facts } satisfies RequestAnswer);
  }
});
