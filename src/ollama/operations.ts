/** What an operation asks of a runner. The list of operations is closed, see `Operation`. */
import type { Operation } from "../types.ts";

/** A runner computes for it: it takes time and a slot. */
export function computes(operation: Operation): boolean {
  return operation === "embed" || isTurn(operation);
}

/** It makes Ollama load a model that is not there. */
export function loadsModel(operation: Operation): boolean {
  return operation === "load" || computes(operation);
}

/** A prompt is read and an answer written: a turn of a chat, or one that stands by itself. */
export function isTurn(operation: Operation): boolean {
  return operation === "chat" || operation === "generate";
}
