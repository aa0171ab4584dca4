import type { ExchangeError } from "../types.ts";
import type { AnswerFindings } from "./answerFindings.ts";
import { describeUpstreamError, type PromptTooLong } from "./upstreamError.ts";

/**
 * How an answer is read: JSON `lines`, server-sent `events`, one JSON `document`, the JSON of an `error` status, or
 * not at all: an error or another answer that came compressed, and everything that is no inference.
 */
export type AnswerForm = "lines" | "events" | "document" | "error" | "packed-error" | "unread";

export interface AnswerOutcome {
  complete: boolean;
  error?: ExchangeError;
  promptTooLong?: PromptTooLong;
}

/**
 * Whether an answer is complete, and whether it is a success. Ollama ends a stream cleanly, with status 200, also when
 * generation broke off, so a clean end alone proves nothing.
 */
export function judgeAnswer(
  findings: AnswerFindings,
  { form, how, status }: { form: AnswerForm; how: "whole" | "cut"; status: number },
): AnswerOutcome {
  const whole = how === "whole";
  if (form === "unread") {
    return { complete: whole };
  }
  if (form === "error" || form === "packed-error") {
    return { complete: whole || findings.final, ...failure(findings.errorText, status) };
  }
  if (findings.errorText !== undefined) {
    const code = findings.objectCount === 1 ? "error-in-answer" : "upstream-error";
    return { complete: form === "document", ...failure(findings.errorText, status, code) };
  }
  if (findings.final) {
    return { complete: true };
  }
  // What was too large to be read may have been the end; then the framing has to be believed.
  if (!whole || findings.oversize) {
    return { complete: whole };
  }
  return { complete: false, error: brokenOff(findings, status) };
}

function failure(
  text: string | undefined,
  status: number,
  code?: string,
): Pick<AnswerOutcome, "error" | "promptTooLong"> {
  const { promptTooLong, ...error } = describeUpstreamError(text, status);
  return { error: { ...error, code: code ?? error.code }, ...(promptTooLong && { promptTooLong }) };
}

function brokenOff(findings: AnswerFindings, status: number): ExchangeError {
  if (findings.objectCount === 0) {
    return { code: "empty-answer", message: `Ollama answered ${status} with an empty body.` };
  }
  if (findings.blank) {
    return {
      code: "upstream-error",
      message: "Ollama failed in the middle of the answer; its OpenAI interface does not say why.",
    };
  }
  return {
    code: "ended-early",
    message:
      "Ollama ended the answer unfinished; it does so when a model repeats itself or its runner fails.",
  };
}
