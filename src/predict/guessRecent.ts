/** The last few figures of one kind and their middle. */
import { median } from "./quantile.ts";
import { savedNumbers } from "./guessSaved.ts";

/** A median over the last nine: one odd answer does not move it, a changed machine does after five. */
export interface Recent {
  median(): number | undefined;
  latest(): number | undefined;
  /** What is unknown or not finite is left out. */
  add(value: number | undefined): void;
  save(): number[];
}

const REMEMBERED = 9;

/** `saved`: what `save()` gave, parsed; damaged or foreign JSON is a fresh start. */
export function createRecent(saved?: unknown): Recent {
  const values = savedNumbers(saved, REMEMBERED);
  let middle = median(values);
  return {
    median: () => middle,
    latest: () => values.at(-1),
    add(value) {
      if (value !== undefined && Number.isFinite(value)) {
        values.push(value);
        values.splice(0, values.length - REMEMBERED);
        middle = median(values);
      }
    },
    save: () => [...values],
  };
}
