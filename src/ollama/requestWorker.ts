/** Thread that reads the large request bodies, so that one client's picture never delays another client's tokens. */
import { parentPort } from "node:worker_threads";
import type { RequestFacts } from "../types.ts";
import { readRequest, type RequestContext } from "./request.ts";

/** Pieces of a body in order, then its context; `drop` forgets a body that will not be finished. */
export type RequestWorkerTask =
  | { id: number; piece: Uint8Array }
  | { id: number; context: RequestContext }
  | { id: number; drop: true };

export interface RequestWorkerResult {
  id: number;
  facts: RequestFacts;
}

const bodies = new Map<number, Uint8Array[]>();

parentPort?.on("message", (task: RequestWorkerTask) => {
  if ("piece" in task) {
    const pieces = bodies.get(task.id) ?? [];
    bodies.set(task.id, pieces);
    pieces.push(task.piece);
    return;
  }
  const pieces = bodies.get(task.id) ?? [];
  bodies.delete(task.id);
  if ("context" in task) {
    const facts = readRequest(Buffer.concat(pieces), task.context);
    parentPort?.postMessage({ id: task.id, facts } satisfies RequestWorkerResult);
  }
});
