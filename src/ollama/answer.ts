/** What one answer says while it passes, and how it ended. */
import type { AnswerFacts, Dialect, Operation, Usage } from "../types.ts";
import { createAnswerClueReader } from "./answerClues.ts";
import { errorTextOf } from "./answerEvent.ts";
import {
  absorb,
  createStreamReader,
  newFindings,
  wholeContext,
  type AnswerFindings,
} from "./answerFindings.ts";
import { judgeAnswer, type AnswerForm } from "./answerOutcome.ts";
import { createJsonSketch } from "./jsonSketch.ts";
import { asObject } from "./lenient.ts";
import { readWholeAnswer } from "./wholeAnswer.ts";

export interface AnswerContext {
  operation: Operation;
  dialect: Dialect;
  method: string;
  status: number;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  /** Called for each event of a stream that carries text, thinking or a tool call; the first is the first token. */
  onContent?: (() => void) | undefined;
  /** Given, the answer is also read for what ties the next request to it. */
  salt?: string | undefined;
}

export interface ReadAnswer extends AnswerFacts {
  /** The answer stated no usage: `outputTokens` counts content chunks, which are not always one token each. */
  estimatedUsage?: boolean;
}

export interface AnswerReader {
  push(chunk: Uint8Array): void;
  contentChunkCount(): number;
  /** The last event has been seen: whoever hangs up now has the whole answer. */
  complete(): boolean;
  /** `whole`: the answer ended as its framing says. `cut`: either side closed before that. */
  end(how: "whole" | "cut"): ReadAnswer;
}

/**
 * Reads one answer while it passes. How it is read follows from what the answer says of itself (status, content type,
 * encoding), never from what was asked. Holds a line or an outline, never the answer.
 */
export function createAnswerReader(context: AnswerContext): AnswerReader {
  const form = formOf(context);
  const { operation, dialect, salt } = context;
  const clues = salt === undefined ? undefined : createAnswerClueReader({ operation, dialect, salt });
  const findings = newFindings(clues);
  const body = openBody(form, findings, context);
  return {
    push: body.push,
    contentChunkCount: () => findings.contentChunkCount,
    complete: () => findings.final,
    end(how) {
      body.end();
      const { complete, error, promptTooLong } = judgeAnswer(findings, { form, how, status: context.status });
      const answer: ReadAnswer = { complete, contentChunkCount: findings.contentChunkCount };
      if (findings.model !== undefined) {
        answer.model = findings.model;
      }
      if (error !== undefined) {
        answer.error = error;
      }
      if (promptTooLong !== undefined) {
        answer.promptTooLong = promptTooLong;
      }
      if (findings.contextTokens !== undefined) {
        answer.contextTokens = findings.contextTokens;
      }
      if (clues !== undefined) {
        answer.conversation = clues.clues();
      }
      return { ...answer, ...usageFacts(findings, context.operation) };
    },
  };
}

function formOf({ operation, status, contentType = "", contentEncoding, method }: AnswerContext): AnswerForm {
  if (operation === "other" || method === "HEAD" || (status >= 300 && status < 400)) {
    return "unread";
  }
  const packed = contentEncoding !== undefined && contentEncoding !== "" && contentEncoding !== "identity";
  if (status >= 400) {
    return packed ? "packed-error" : "error";
  }
  const type = contentType.toLowerCase();
  if (packed) {
    return "unread";
  }
  if (type.startsWith("application/x-ndjson")) {
    return "lines";
  }
  if (type.startsWith("text/event-stream")) {
    return "events";
  }
  // Without a type there was no body: Go always names one for what a handler writes.
  return type === "" || type.startsWith("application/json") ? "document" : "unread";
}

function openBody(
  form: AnswerForm,
  findings: AnswerFindings,
  context: AnswerContext,
): { push(chunk: Uint8Array): void; end(): void } {
  switch (form) {
    case "lines":
    case "events":
      return createStreamReader(form, findings, context);
    case "document":
    case "error":
      return openDocument(form, findings, context);
    case "packed-error":
    case "unread":
      return { push: () => {}, end: () => {} };
  }
}

/** An answer of one JSON object. Read as soon as it is whole, so that a client may close without waiting for the end. */
function openDocument(
  form: "document" | "error",
  findings: AnswerFindings,
  context: AnswerContext,
): { push(chunk: Uint8Array): void; end(): void } {
  const sketch = createJsonSketch();
  let read = false;

  function readOnce(): void {
    read = true;
    const value = wholeContext(asObject(sketch.value()), sketch);
    if (value === undefined) {
      // Whole, but no object or too large an outline: only its framing can be judged.
      findings.oversize = true;
    } else if (form === "error") {
      absorb(findings, { errorText: errorTextOf(value), final: true });
    } else {
      absorb(findings, readWholeAnswer(value, context));
    }
  }

  return {
    push(chunk) {
      findings.clues?.bytes(chunk);
      sketch.push(chunk);
      if (!read && sketch.whole()) {
        readOnce();
      }
    },
    end() {
      if (!read && sketch.begun()) {
        findings.objectCount += 1;
      }
    },
  };
}

function usageFacts(
  findings: AnswerFindings,
  operation: Operation,
): Pick<ReadAnswer, "usage" | "operation" | "estimatedUsage"> {
  const { doneReason } = findings;
  if (doneReason === "load" || doneReason === "unload") {
    return { operation: doneReason };
  }
  const facts: ReturnType<typeof usageFacts> = {};
  const estimated = findings.usage === undefined && findings.contentChunkCount > 0 && operation !== "embed";
  const usage: Usage | undefined = estimated
    ? { outputTokens: findings.contentChunkCount, provenance: "derived" }
    : findings.usage;
  if (usage !== undefined || doneReason !== undefined) {
    facts.usage = { ...(usage ?? { provenance: "measured" }) };
    if (doneReason !== undefined) {
      facts.usage.doneReason = doneReason;
    }
  }
  if (estimated) {
    facts.estimatedUsage = true;
  }
  return facts;
}
