/** How an exchange ended: from what the connection did and what the answer said. */
import type { PromptTooLong } from "../ollama/upstreamError.ts";
import type { AnswerFacts, Exchange, ExchangeError, Notice, NoticeKind } from "../types.ts";
import type { EndState } from "./exchange.ts";
import type { ForwardOutcome } from "./forward.ts";

/**
 * The answer's own last word decides first: a client that hangs up after the last event has its whole answer, and an
 * error line that Ollama writes because the client left is not Ollama's failure.
 */
export function endState(
  outcome: ForwardOutcome,
  answer: AnswerFacts | undefined,
  context: { exchange: Exchange; endedAt: number; upstreamUrl: string },
): EndState {
  const { exchange, endedAt } = context;
  const firstTokenAt = exchange.state.phase === "streaming" ? exchange.state.firstTokenAt : undefined;
  const common = firstTokenAt === undefined ? { endedAt } : { endedAt, firstTokenAt };
  if (outcome.how === "whole" || answer?.complete === true) {
    return answer?.error === undefined
      ? { phase: "completed", ...common }
      : { phase: "failed", ...common, error: answer.error };
  }
  if (outcome.how === "refused") {
    return { phase: "failed", ...common, error: outcome.error };
  }
  if (outcome.how === "client-left" || (outcome.how === "stopped" && outcome.reason === "cancelled")) {
    return { phase: "cancelled", ...common };
  }
  return { phase: "failed", ...common, error: failure(outcome, context.upstreamUrl) };
}

function failure(outcome: ForwardOutcome, upstreamUrl: string): ExchangeError {
  if (outcome.how !== "upstream-failed") {
    return { code: "interrupted", message: "Plimsoll was stopped before the answer was complete." };
  }
  const cause = outcome.error.code ?? outcome.error.message;
  switch (outcome.phase) {
    case "connect":
      return {
        code: "upstream-unreachable",
        message: `Ollama does not answer at ${upstreamUrl} (${cause}).`,
      };
    case "head":
      return {
        code: "upstream-cut",
        message: `Ollama at ${upstreamUrl} closed the connection before it answered (${cause}).`,
      };
    case "body":
      return { code: "upstream-cut", message: "Ollama closed the connection in the middle of the answer." };
  }
}

/** The notice that an error of this kind puts on the exchange. */
export function noticeOf(error: ExchangeError | undefined): NoticeKind | undefined {
  switch (error?.code) {
    case "ended-early":
    case "empty-answer":
      return "ended-early";
    case "upstream-error":
    case "error-in-answer":
      return "upstream-error";
    default:
      return undefined;
  }
}

export function promptTooLongNotice({ promptTokens, contextLength }: PromptTooLong): Notice {
  return promptTokens === undefined || contextLength === undefined
    ? { kind: "prompt-too-long" }
    : {
        kind: "prompt-too-long",
        message: `the prompt has ${promptTokens} tokens, the context holds ${contextLength}`,
      };
}
