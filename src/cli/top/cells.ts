/** Text in a terminal's columns: what it takes, cut and filled up. Pure. */
import { nameText } from "../../predict/figureText.ts";
import { printableLine } from "../../printable.ts";

const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

/** Columns that a text takes. Styles do not count: they are put around a text once it has its width. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    columns += WIDE.test(character) ? 2 : /\p{M}/u.test(character) ? 0 : 1;
  }
  return columns;
}

/** Exactly so many visible columns: cut with `…`, or filled up with spaces at the end, or for figures at the start. */
export function cell(raw: string, width: number, side: "left" | "right" = "left"): string {
  const text = printableLine(raw);
  const fitted = columnsOf(text) <= width ? text : cut(text, width);
  const fill = " ".repeat(Math.max(0, width - columnsOf(fitted)));
  return side === "left" ? fitted + fill : fill + fitted;
}

/** A name from outside: nothing in it may move the cursor, ring or clear. */
export function nameCell(name: string | undefined, width: number): string {
  return cell(nameText(name ?? "") || "unnamed", width);
}

function cut(text: string, width: number): string {
  if (width < 1) {
    return "";
  }
  let kept = "";
  let columns = 0;
  for (const character of text) {
    const more = columnsOf(character);
    if (columns + more > width - 1) {
      break;
    }
    kept += character;
    columns += more;
  }
  return `${kept}…`;
}

export type Style = "bold" | "dim" | "good" | "warn" | "bad" | "accent" | "weights" | "kv" | "cache" | "rest";

const CODES: Record<Style, string> = {
  bold: "1",
  dim: "2",
  good: "32",
  warn: "33",
  bad: "31",
  accent: "36",
  weights: "34",
  kv: "36",
  cache: "33",
  rest: "35",
};

/** Wraps a text in a style, or leaves it as it is where colour is not wanted. */
export type Paint = (style: Style | undefined, text: string) => string;

export const plain: Paint = (_, text) => text;

export const coloured: Paint = (style, text) =>
  style === undefined || text === "" ? text : `\u001B[${CODES[style]}m${text}\u001B[0m`;
