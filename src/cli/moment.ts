import { UsageError } from "./usage.ts";

/** Epoch milliseconds of a day (`2026-01-31`, with a time if wanted) or of so long ago (`30d`, `12h`). */
export function parseMoment(flag: string, text: string, now: number): number {
  const ago = /^(\d{1,5})([dh])$/.exec(text);
  if (ago !== null) {
    return now - Number(ago[1]) * (ago[2] === "d" ? 24 : 1) * 3_600_000;
  }
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new UsageError(`${flag} "${text}" is no day: expected 2026-01-31, or 30d or 12h for so long ago`);
  }
  return at;
}
