/**
 * Puts a guess on each exchange before its answer begins, and what then happened beside it. Nothing is asked of anybody
 * on the way: what is known of the model lies in memory.
 */
import { computes, isTurn } from "../ollama/operations.ts";
import type { Accuracy } from "../predict/accuracy.ts";
import { scoredOfExchange } from "../predict/accuracy.ts";
import type { Calibration } from "../predict/calibration.ts";
import { guessExchange } from "../predict/guessExchange.ts";
import { learnExchange } from "../predict/guessLearn.ts";
import type { Learned } from "../predict/guessLearned.ts";
import { guessQueueMs } from "../predict/guessQueue.ts";
import { scoreExchange } from "../predict/guessScore.ts";
import type { Guess, GuessInput } from "../predict/guessTypes.ts";
import type { DecodeChange } from "../predict/decodeChange.ts";
import { createCompany } from "../predict/speedAlone.ts";
import type { Exchange, ExchangeObserver, RequestFacts } from "../types.ts";

/** What is known of a model at the moment, for a guess about it. */
export interface ModelNow {
  /** What learned figures are filed under. */
  key: string;
  settings?: GuessInput["settings"];
  contextLength?: number;
  /** No runner gets more than this, whatever is asked for. */
  trainedContextLength?: number;
  loaded: boolean;
  promptCache?: boolean;
  slots?: number;
  /** Resident memory of its runner. */
  runnerBytes?: number;
  /** What one slot of that runner holds. */
  runnerContextLength?: number;
  kvBytesPerToken?: number;
}

export interface ExchangePredictions {
  observer: ExchangeObserver;
}

/** Not more than one lesson in this time. */
const LESSON_MS = 100;

export function createExchangePredictions(parts: {
  learned: Learned;
  calibration: Calibration;
  accuracy: Accuracy;
  now: () => number;
  monotonic: () => number;
  modelNow(model: string): ModelNow;
  live: () => readonly Exchange[];
  /** The model's speed has changed for several answers in a row: throttling, a spill to the CPU, flash attention lost. */
  onChange(change: DecodeChange & { model: string }): void;
  onLearned(): void;
}): ExchangePredictions {
  const { learned, calibration, accuracy, now } = parts;
  const guesses = new Map<string, Guess>();
  const company = createCompany();
  let learnedAt = Number.NEGATIVE_INFINITY;

  const guess = (exchange: Exchange, facts: RequestFacts): void => {
    if (exchange.model === undefined || exchange.state.phase !== "waiting" || exchange.status !== undefined) {
      return;
    }
    const model = parts.modelNow(exchange.model);
    const made = guessExchange(
      {
        model: model.key,
        settings: model.settings,
        request: facts,
        contextLength: facts.requestedContextLength ?? model.contextLength,
        loaded: model.loaded && !asksForAnother(exchange, model),
        promptCache: model.promptCache,
        queueMs: queueMs(exchange, model),
        runnerBytes: model.runnerBytes,
        kvBytesPerToken: model.kvBytesPerToken,
      },
      learned,
      now(),
    );
    guesses.set(exchange.id, made);
    exchange.prediction = made.prediction;
  };

  const queueMs = (exchange: Exchange, model: ModelNow): number | undefined => {
    const ahead = parts
      .live()
      .filter(
        (other) => other.id !== exchange.id && other.model === exchange.model && computes(other.operation),
      )
      .map((other) => ({
        startedAt: other.startedAt,
        firstTokenAt: other.state.phase === "streaming" ? other.state.firstTokenAt : undefined,
        outputTokens: other.contentChunkCount,
        guess: guesses.get(other.id),
      }));
    return guessQueueMs(ahead, { slots: model.slots ?? 1, now: now() });
  };

  const learn = (exchange: Exchange, made: Guess, alone: boolean, runnerBytes: number | undefined): void => {
    const lesson = learnExchange(learned, {
      guess: made,
      exchange,
      circumstances: { alone, ...(runnerBytes !== undefined && { runnerBytes }) },
    });
    if (lesson.decodeMs !== undefined) {
      calibration.learn({ model: made.input.model, part: "decodeMs", ...lesson.decodeMs });
    }
    if (lesson.change !== undefined) {
      parts.onChange(lesson.change);
    }
    parts.onLearned();
  };

  return {
    observer: {
      name: "predictions",
      onStart(exchange) {
        if (computes(exchange.operation)) {
          company.started(exchange.id);
        }
      },
      onRequest(exchange, facts) {
        if (isTurn(exchange.operation)) {
          guess(exchange, facts);
        }
      },
      onEnd(exchange) {
        const alone = company.ended(exchange.id);
        const made = guesses.get(exchange.id);
        guesses.delete(exchange.id);
        if (made === undefined || exchange.model === undefined) {
          return;
        }
        const runnerBytes = bytesAfter(exchange, parts.modelNow(exchange.model));
        exchange.prediction = scoreExchange(made, exchange, runnerBytes === undefined ? {} : { runnerBytes });
        accuracy.add(scoredOfExchange(exchange));
        // Learning can take a millisecond, which other streams wait for: in a burst some lessons are as good as all.
        if (parts.monotonic() - learnedAt >= LESSON_MS) {
          learnedAt = parts.monotonic();
          setImmediate(() => learn(exchange, made, alone, runnerBytes));
        }
      },
    },
  };
}

/** Somebody else may have had the model loaded anew by now: that runner has nothing to do with this exchange. */
function bytesAfter({ contextLength }: Exchange, model: ModelNow): number | undefined {
  const isAnother =
    contextLength !== undefined &&
    model.runnerContextLength !== undefined &&
    contextLength !== model.runnerContextLength;
  return isAnother ? undefined : model.runnerBytes;
}

/** Another context means another runner, though the model is loaded. */
function asksForAnother({ requestedContextLength }: Exchange, model: ModelNow): boolean {
  if (requestedContextLength === undefined || model.contextLength === undefined) {
    return false;
  }
  return Math.min(requestedContextLength, model.trainedContextLength ?? Infinity) !== model.contextLength;
}
