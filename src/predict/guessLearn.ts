/** Learns from an exchange that has ended. */
import { decodeMsOf, decodeRateOf, scoreExchange, type MeasuredAfter } from "./guessScore.ts";
import { isLoadDuration } from "./coldLoad.ts";
import type { DecodeChange } from "./decodeChange.ts";
import { GUESSED, type LearnedModel } from "./guessModel.ts";
import { nextReuseShare, seenReuse } from "./guessReuse.ts";
import { learnRunnerBytes } from "./guessRunnerBytes.ts";
import type { Guess } from "./guessTypes.ts";
import type { Learned } from "./guessLearned.ts";
import type { ModelSpeed } from "./speedMemory.ts";
import type { Exchange, NoticeKind, Usage } from "../types.ts";

export interface Circumstances extends MeasuredAfter {
  /** No other exchange was in progress at any time of this one. Only then are its times the model's own. */
  alone: boolean;
  /** A draft model was at work: then the time per token depends on the text. */
  draft?: boolean;
}

/** What learning brought to light. */
export interface Lesson {
  /** The model's speed has changed for several answers in a row. */
  change?: DecodeChange & { model: string };
  /** Formula and measurement of the time per token with an empty context, for calibration. */
  decodeMs?: { raw: number; actual: number };
}

interface Ended {
  guess: Guess;
  exchange: Exchange;
  usage: Usage;
  circumstances: Circumstances;
}

/** Answers before a fitted base is compared with the formula's. */
const ANSWERS_FOR_CALIBRATION = 3;
/** The prompt that ran was not the one that was sent. */
const CUT_KINDS: ReadonlySet<NoticeKind> = new Set(["truncated", "messages-dropped", "prompt-too-long"]);

/** Call once, after scoring. What did not complete, or was counted by us and not by Ollama, teaches nothing. */
export function learnExchange(
  learned: Learned,
  { guess, exchange, circumstances }: { guess: Guess; exchange: Exchange; circumstances: Circumstances },
): Lesson {
  const { usage } = exchange;
  if (exchange.state.phase !== "completed" || usage === undefined || usage.provenance !== "measured") {
    return {};
  }
  const ended: Ended = { guess, exchange, usage, circumstances };
  const model = learned.keepModel(guess.input.model);
  const speed = learned.speed.keep(guess.input.model, guess.input.settings);
  learnBands(ended, model);
  learnPrompt(ended, model);
  const cold = isCold(ended, model);
  (cold ? model.recent.coldLoadMs : model.recent.warmLoadMs).add(usage.loadMs);
  if (circumstances.runnerBytes !== undefined) {
    learnRunnerBytes(guess, circumstances.runnerBytes, model);
  }
  if (circumstances.alone) {
    learnPrefill(ended, model, { speed, cold });
  }
  const lesson = circumstances.alone && circumstances.draft !== true ? learnDecode(ended, speed) : {};
  rememberTurn(ended, model, cold);
  return lesson;
}

function learnBands({ guess, exchange, circumstances }: Ended, model: LearnedModel): void {
  const scored = scoreExchange(guess, exchange, circumstances);
  for (const name of GUESSED) {
    const { predicted, actual } = scored[name] ?? {};
    if (predicted !== undefined && actual !== undefined) {
      model.bands[name].learn(predicted, actual);
    }
  }
}

function wasCut({ guess, exchange }: Ended): boolean {
  return guess.basis.cut || exchange.notices.some(({ kind }) => CUT_KINDS.has(kind));
}

function learnPrompt(ended: Ended, model: LearnedModel): void {
  const { prompt, earlier } = ended.guess.basis;
  const { inputTokens, outputTokens } = ended.usage;
  if (prompt !== undefined && inputTokens !== undefined && !wasCut(ended)) {
    model.tokens.learn(prompt, inputTokens, earlier?.cut === true ? undefined : earlier);
  }
  model.recent.outputTokens.add(outputTokens);
}

/** Also a model that was loaded: somebody asked for other options. */
function isCold({ guess, exchange, usage }: Ended, { recent }: LearnedModel): boolean {
  return (
    guess.input.loaded === false ||
    exchange.notices.some(({ kind }) => kind === "reloaded") ||
    isLoadDuration(usage.loadMs, recent.warmLoadMs.median())
  );
}

function learnPrefill(
  { guess, exchange, usage }: Ended,
  model: LearnedModel,
  { speed, cold }: { speed: ModelSpeed; cold: boolean },
): void {
  const { inputTokens } = usage;
  const firstTokenMs = firstTokenMsOf(exchange);
  const restMs = firstTokenMs === undefined ? undefined : firstTokenMs - (usage.loadMs ?? 0);
  if (usage.prefillMs !== undefined && restMs !== undefined && (guess.input.queueMs ?? 0) === 0) {
    model.recent.overheadMs.add(Math.max(0, restMs - usage.prefillMs));
  }
  // The dialects without durations: from the request to the first token, when no load was in between.
  const warm = guess.input.loaded === true && !cold;
  const seenMs = restMs === undefined || !warm ? undefined : restMs - (model.recent.overheadMs.median() ?? 0);
  const ms = usage.prefillMs ?? seenMs;
  if (inputTokens === undefined || ms === undefined) {
    return;
  }
  const { basis } = guess;
  const reuse = cold ? undefined : seenReuse(guess, { inputTokens, ms }, speed.prefill);
  if (reuse !== undefined) {
    model.reuseShare = nextReuseShare(model.reuseShare, reuse);
  }
  const supposed = reuse?.cachedTokens ?? basis.cachedTokens;
  const cachedTokens = cold ? 0 : Math.min(supposed, Math.max(0, inputTokens - 1));
  const verdict = speed.prefill.learn(
    { uncachedTokens: inputTokens - cachedTokens, cachedTokens, ms },
    cold ? "sure" : basis.certainty,
  );
  if (basis.returned && basis.certainty === "likely" && !basis.cut && verdict !== "too-slow") {
    model.returnsAreCached = cachedTokens > 0 ? verdict !== "not-cached" : verdict === "too-fast";
  }
}

function firstTokenMsOf({ state, stream, startedAt }: Exchange): number | undefined {
  const at = "firstTokenAt" in state ? state.firstTokenAt : undefined;
  return stream === true && at !== undefined ? at - startedAt : undefined;
}

function learnDecode({ guess, exchange, usage }: Ended, speed: ModelSpeed): Lesson {
  const { inputTokens, outputTokens } = usage;
  const rate = decodeRateOf({ outputTokens, decodeMs: decodeMsOf(exchange) });
  if (rate === undefined || inputTokens === undefined || outputTokens === undefined) {
    return {};
  }
  const found = speed.decode.learn({
    // A generation that outruns its context drops what lies behind, and goes no deeper.
    depthTokens: Math.min(inputTokens + outputTokens / 2, guess.input.contextLength ?? Infinity),
    steps: outputTokens - 1,
    msPerToken: 1000 / rate,
  });
  const lesson: Lesson = {};
  if (found !== undefined) {
    lesson.change = { ...found, model: guess.input.model };
  }
  const raw = speed.formulaBaseMs();
  const actual = speed.decode.answers() >= ANSWERS_FOR_CALIBRATION ? speed.decode.line()?.baseMs : undefined;
  if (raw !== undefined && actual !== undefined) {
    lesson.decodeMs = { raw, actual };
  }
  return lesson;
}

function rememberTurn(ended: Ended, model: LearnedModel, cold: boolean): void {
  const { prompt } = ended.guess.basis;
  const { inputTokens, outputTokens = 0 } = ended.usage;
  if (cold) {
    // Another runner, perhaps with another engine or other settings.
    model.reuseShare = undefined;
    model.prefixes.clear();
  }
  if (prompt !== undefined && inputTokens !== undefined) {
    model.prefixes.remember({ ...prompt, inputTokens, outputTokens, cut: wasCut(ended) });
  }
}
