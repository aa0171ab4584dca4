/** One exchange that has ended: what the model read of its prompt, and what befell its tokens. Pure. */
import { isTurn } from "../ollama/operations.ts";
import { isAtLeast, parseOllamaVersion } from "../predict/ollamaVersion.ts";
import type { AnswerFacts, Exchange, Notice } from "../types.ts";
import { answerCut } from "./cutAnswer.ts";
import { halvesOf, promptCuts, type PromptCut } from "./cutPrompt.ts";
import { answerNotice, cutNotice, reducedNotice, tooLongNotice, type Cure } from "./notices.ts";
import type { SentEstimate } from "./sentTokens.ts";
import type { PromptShape } from "./turn.ts";

export interface TurnFacts {
  exchange: Exchange;
  answer?: AnswerFacts;
  prompt: PromptShape;
  window?: Window;
  /** Of the whole prompt as it was sent. */
  sent?: SentEstimate;
  largestMessageTokens?: number;
  reused?: boolean;
  ollamaVersion?: string;
  /** What would have kept so many tokens, given the window that did not. */
  cure(tokens: number, contextLength: number | undefined): Cure;
}

export interface Window {
  contextLength: number;
  /** Nobody asked for it and nothing lists it: the default of a machine without a GPU. */
  assumed?: boolean;
  /** Asked for, but more than the model was trained for. */
  reducedFrom?: number;
}

/** Token counts; absent where nothing tells. */
export interface TurnJudgement {
  notices: Notice[];
  /** The whole prompt. */
  sentTokens?: number;
  /** Something of the prompt was left out. */
  promptCuts: PromptCut[];
  /** Forgotten while answering. */
  shiftedTokens: number;
  contextTokensUsed?: number;
  /** The prompt's size, where Ollama itself told it. */
  toldTokens?: number;
}

/** The default of v0.24 and v0.33 without a GPU. */
const DEFAULT_CONTEXT_LENGTH = 4096;
/** Only this one counts a prompt without its cached part. */
const COUNTS_NEW_ONLY = { minor: 30, patch: 0 };

/**
 * Only counts that Ollama measured say anything. The fingerprints of a cut differ by version: before v0.30 a prompt is
 * cut to `num_ctx`, since to about half of it; v0.30.0 counts new tokens only, so that no cut of its prompts can be
 * told.
 */
export function judgeTurn(facts: TurnFacts): TurnJudgement {
  const { exchange, answer, window } = facts;
  const notices: Notice[] = [];
  const judgement: TurnJudgement = { notices, promptCuts: [], shiftedTokens: 0 };
  if (window?.reducedFrom !== undefined && exchange.status === 200) {
    notices.push(reducedNotice(window.reducedFrom, window.contextLength));
  }
  if (answer?.promptTooLong !== undefined) {
    const promptTokens = answer.promptTooLong.promptTokens ?? roundedOf(facts.sent?.best);
    const contextLength = answer.promptTooLong.contextLength ?? window?.contextLength;
    notices.push(
      tooLongNotice(
        { promptTokens: answer.promptTooLong.promptTokens, contextLength },
        promptTokens === undefined
          ? { remedies: [] }
          : facts.cure(promptTokens + roomOf(facts), contextLength),
      ),
    );
    return { ...judgement, sentTokens: promptTokens, toldTokens: answer.promptTooLong.promptTokens };
  }
  const { inputTokens, outputTokens = 0, provenance } = exchange.usage ?? {};
  if (inputTokens === undefined || provenance !== "measured" || !readsPrompt(exchange)) {
    return judgement;
  }
  const known = window ?? assumedWindow(exchange, outputTokens);
  if (known === undefined) {
    return { ...judgement, sentTokens: inputTokens };
  }
  const { contextLength } = known;
  const toldTokens = exactSent(facts, outputTokens);
  const cuts = countsNewOnly(facts.ollamaVersion)
    ? []
    : promptCuts({
        prompt: facts.prompt,
        inputTokens,
        contextLength,
        exactSentTokens: toldTokens,
        sent: facts.sent,
        largestMessageTokens: facts.largestMessageTokens,
        reused: facts.reused,
      });
  const sentTokens = inputTokens + cuts.reduce((sum, { tokensLost }) => sum + tokensLost, 0);
  let read = sentTokens;
  for (const cut of cuts) {
    notices.push(
      cutNotice(
        cut,
        { sentTokens: read, contextLength },
        facts.cure(sentTokens + roomOf(facts), contextLength),
      ),
    );
    read -= cut.tokensLost;
  }
  const after = answerCut({
    inputTokens,
    outputTokens,
    contextLength,
    doneReason: exchange.usage?.doneReason,
    maxOutputTokens: facts.prompt.maxOutputTokens,
    llamaServer: isAtLeast(parseOllamaVersion(facts.ollamaVersion), 30),
  });
  if (after !== undefined) {
    notices.push(
      answerNotice(
        after,
        contextLength,
        facts.cure(sentTokens + Math.max(outputTokens, roomOf(facts)), contextLength),
      ),
    );
  }
  const shiftedTokens = after?.kind === "context-shifted" ? after.tokensLost : 0;
  return {
    notices,
    sentTokens,
    promptCuts: cuts,
    shiftedTokens,
    toldTokens,
    contextTokensUsed: Math.min(contextLength, inputTokens + outputTokens - shiftedTokens),
  };
}

function readsPrompt({ operation, status }: Exchange): boolean {
  return isTurn(operation) && status === 200;
}

/** A generate lists the tokens of prompt and answer, all but the first, which begins every text. */
function exactSent({ answer, exchange }: TurnFacts, outputTokens: number): number | undefined {
  return answer?.contextTokens === undefined || exchange.operation !== "generate"
    ? undefined
    : answer.contextTokens - outputTokens + 1;
}

/** Room for an answer. */
function roomOf({ prompt, exchange }: TurnFacts): number {
  return prompt.maxOutputTokens ?? exchange.usage?.outputTokens ?? 0;
}

/** Without a word on the window, only counts that fit the default to the token say something. */
function assumedWindow({ usage }: Exchange, outputTokens: number): Window | undefined {
  const { inputTokens = 0 } = usage ?? {};
  const contextLength = DEFAULT_CONTEXT_LENGTH;
  const full = inputTokens + outputTokens;
  const fits =
    inputTokens === contextLength ||
    halvesOf(contextLength).includes(inputTokens) ||
    (full >= contextLength && full <= contextLength + 1 && usage?.doneReason === "length");
  return fits ? { contextLength, assumed: true } : undefined;
}

function countsNewOnly(ollamaVersion: string | undefined): boolean {
  const version = parseOllamaVersion(ollamaVersion);
  return (
    version?.major === 0 && version.minor === COUNTS_NEW_ONLY.minor && version.patch === COUNTS_NEW_ONLY.patch
  );
}

function roundedOf(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}
