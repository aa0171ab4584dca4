/** What befell an exchange's tokens, in words. */
import { bytesText, durationText } from "../predict/figureText.ts";
import type { Exchange, Notice, Remedy } from "../types.ts";
import type { AnswerCut } from "./cutAnswer.ts";
import type { PromptCut } from "./cutPrompt.ts";

/** What would have kept everything: absent where nothing larger can be had. */
export interface Cure {
  contextLength?: number;
  remedies: Remedy[];
}

/** `read`: what was there before this cut, and the window that it had to fit. */
export function cutNotice(
  cut: PromptCut,
  read: { sentTokens: number; contextLength: number },
  cure: Cure,
): Notice {
  const lost = words(cut.tokensLost);
  const of = words(read.sentTokens);
  const message =
    cut.kind === "truncated"
      ? `Ollama cut about ${lost} of ${of} tokens out of the middle of the prompt: the window holds ${read.contextLength}.`
      : `Ollama left out the oldest messages, about ${lost} of ${of} tokens: the window holds ${read.contextLength}.`;
  return { kind: cut.kind, message, tokensLost: cut.tokensLost, ...cureOf(cure) };
}

/** A prompt that was cut in its middle, now that its size is told. */
export function withTold(notice: Notice, { usage }: Exchange, toldTokens: number): Notice {
  const tokensLost = toldTokens - (usage?.inputTokens ?? toldTokens);
  return notice.kind !== "truncated" || tokensLost <= 0
    ? notice
    : {
        ...notice,
        tokensLost,
        message: `Ollama cut ${words(tokensLost)} of ${words(toldTokens)} tokens out of the middle of the prompt.`,
      };
}

function words(count: number): string {
  return count.toLocaleString("en-US");
}

/** The answer is there; what the model no longer saw while it wrote is what is lost. */
export function answerNotice(cut: AnswerCut, contextLength: number, cure: Cure): Notice {
  return cut.kind === "context-shifted"
    ? {
        kind: cut.kind,
        message: `The window of ${contextLength} was full before the answer ended: Ollama forgot about ${words(cut.tokensLost)} of the older tokens and went on.`,
        tokensLost: cut.tokensLost,
        ...cureOf(cure),
      }
    : {
        kind: cut.kind,
        message: `The answer ended because the window of ${contextLength} was full.`,
        ...cureOf(cure),
      };
}

/** Refused with an error: nothing was read and nothing lost. */
export function tooLongNotice(facts: { promptTokens?: number; contextLength?: number }, cure: Cure): Notice {
  const { promptTokens, contextLength } = facts;
  const holds = contextLength === undefined ? "more than its window" : `its window holds ${contextLength}`;
  const has = promptTokens === undefined ? "The prompt is too long" : `The prompt has ${promptTokens} tokens`;
  return { kind: "prompt-too-long", message: `Ollama refused it. ${has}; ${holds}.`, ...cureOf(cure) };
}

/** Ollama clips without a word what is asked for beyond the trained length. */
export function reducedNotice(asked: number, given: number): Notice {
  return {
    kind: "context-reduced",
    message: `A context of ${asked} was asked for; the model got ${given}.`,
    contextLength: given,
  };
}

export interface CliffFigures {
  atTurn: number;
  turnsAhead?: number;
  ms?: number;
  bytes?: number;
}

/** `cliff-ahead` while it can be avoided, `cliff` at the turn that went over. */
export function cliffNotice(
  kind: "cliff-ahead" | "cliff",
  { atTurn, turnsAhead, ms, bytes }: CliffFigures,
  cure: Cure,
): Notice {
  const costs = [
    ...(ms === undefined ? [] : [`waits about ${durationText(ms)} for its prompt`]),
    ...(bytes === undefined || bytes <= 0 ? [] : [`leaves ${bytesText(bytes)} in the runner's memory`]),
  ];
  const then =
    costs.length === 0 ? "each turn computes the whole window again" : `each turn ${costs.join(" and ")}`;
  const message =
    kind === "cliff"
      ? `From turn ${atTurn} on this chat no longer fits its window: ${then}.`
      : turnsAhead === 0
        ? `This turn no longer fits the window: ${then}.`
        : `In ${turnsAhead} ${turnsAhead === 1 ? "turn" : "turns"}, from turn ${atTurn} on, this chat no longer fits its window: ${then}.`;
  return {
    kind,
    message,
    atTurn,
    ...(turnsAhead !== undefined && { turnsAhead }),
    ...(ms !== undefined && { ms: Math.round(ms) }),
    ...(bytes !== undefined && bytes > 0 && { bytes: Math.round(bytes) }),
    ...cureOf(cure),
  };
}

/** Milliseconds. */
export function queuedNotice(ms: number): Notice {
  return { kind: "queued", message: `Waited about ${durationText(ms)} for others.`, ms: Math.round(ms) };
}

function cureOf({ contextLength, remedies }: Cure): Pick<Notice, "contextLength" | "remedies"> {
  return {
    ...(contextLength !== undefined && { contextLength }),
    ...(remedies.length > 0 && { remedies }),
  };
}
