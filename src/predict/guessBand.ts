/**
 * How far a guess may be off, learned from how far its predecessors were: nine in ten of them lay within the band. It
 * starts wide and is never narrower than what has been shown.
 */
import { quantile } from "./quantile.ts";
import { savedNumbers } from "./guessSaved.ts";
import type { Predicted } from "../types.ts";

export interface ErrorBand {
  /** A guess with its low and high. */
  around(predicted: number): Predicted;
  /** One guess made beforehand, and what happened. */
  learn(predicted: number, actual: number): void;
  save(): number[];
}

const REMEMBERED = 24;
/** Of the errors, as many lie within the band. */
const SHARE = 0.9;
/** The first answers alone do not narrow the band: that many of the assumed errors stay among them. */
const ASSUMED = 6;
/** Errors are kept as logarithms: half and double are equally wrong. */
const LARGEST = Math.log(20);

/** `assumedRatio`: half-width before anything is known, 0.3 for ±30 %. */
export function createErrorBand(assumedRatio: number, saved?: unknown): ErrorBand {
  const errors = savedNumbers(saved, REMEMBERED).filter((error) => error >= 0 && error <= LARGEST);
  let factor = factorOf(errors, assumedRatio);
  return {
    around: (predicted) => ({ predicted, low: predicted / factor, high: predicted * factor }),
    learn(predicted, actual) {
      const error = Math.abs(Math.log(predicted / actual));
      if (!Number.isNaN(error)) {
        errors.push(Math.min(error, LARGEST));
        errors.splice(0, errors.length - REMEMBERED);
        factor = factorOf(errors, assumedRatio);
      }
    },
    save: () => [...errors],
  };
}

function factorOf(errors: readonly number[], assumedRatio: number): number {
  const assumed = Array.from({ length: Math.max(0, ASSUMED - errors.length) }, () =>
    Math.log1p(assumedRatio),
  );
  return Math.exp(quantile([...errors, ...assumed], SHARE) ?? Math.log1p(assumedRatio));
}
