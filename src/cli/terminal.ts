/** What commands print. Data goes to standard output, talk to standard error, and nothing in either drives a terminal. */
import { printableText } from "../printable.ts";

/** What was asked for, in words. */
export function say(text: string): void {
  process.stdout.write(printableText(text));
}

/** Everything else that is to be known: what goes wrong, what is being done. */
export function remark(text: string): void {
  process.stderr.write(printableText(text));
}

export function sayJson(value: unknown): void {
  process.stdout.write(`${jsonLine(value)}\n`);
}

/** JSON in which what a terminal might obey is escaped: the same value for every parser. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/\p{C}/gu, escaped);
}

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
