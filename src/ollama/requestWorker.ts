/** Thread that reads the large request bodies, so that one client's picture never delays another client's tokens. */
import { parentPort } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import { readRequest, type RequestContext } from "./request.ts";

export interface RequestTask {
  id: number;
  /** The body, cut anywhere. */
  pieces: Uint8Array[];
  context: RequestContext;
}

export interface RequestAnswer {
  id: number;
  facts: RequestFacts;
}

parentPort?.on("message", ({ id, pieces, context }: RequestTask) => {
  const facts = readRequest(Buffer.concat(pieces), context);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origin
  parentPort?.postMessage({ id, facts } satisfies RequestAnswer);
});
