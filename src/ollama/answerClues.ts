import type { AnswerClues, Dialect, Operation } from "../types.ts";
import type { AnswerEvent } from "./answerEvent.ts";
import { answerHash, createAnswerPrint } from "./answerPrint.ts";
import { createContextScan } from "./contextScan.ts";
import { saltedHash } from "./saltedHash.ts";

/** Gathers what the next request of the conversation will bring back of this answer. */
export interface AnswerClueReader {
  /** The text of this event would still say something new. */
  wantsText(bytes: Buffer): boolean;
  event(event: AnswerEvent): void;
  /** Bytes of an event or of a document, in order. */
  bytes(bytes: Uint8Array): void;
  clues(): AnswerClues;
}

const NO_TEXT = Buffer.from('"content":""');

export function createAnswerClueReader({
  operation,
  dialect,
  salt,
}: {
  operation: Operation;
  dialect: Dialect;
  salt: string;
}): AnswerClueReader {
  const print = createAnswerPrint();
  const scan = operation === "generate" && dialect === "ollama" ? createContextScan(salt) : undefined;
  let responseId: string | undefined;
  return {
    // A chunk of thoughts has an empty text beside them.
    wantsText: (bytes) => operation === "chat" && !print.full() && bytes.indexOf(NO_TEXT) === -1,
    event(event) {
      responseId = event.responseId ?? responseId;
      if (event.text !== undefined && operation === "chat") {
        print.add(event.text);
      }
    },
    bytes: (bytes) => scan?.push(bytes),
    clues() {
      const clues: AnswerClues = {};
      const context = scan?.hash();
      if (responseId !== undefined) {
        clues.responseId = saltedHash(salt, responseId);
      }
      if (context !== undefined) {
        clues.context = context;
      }
      if (print.text() !== "") {
        clues.text = answerHash(salt, print.text());
      }
      return clues;
    },
  };
}
