/** Harmless text of a wanted length, for simulated people and simulated models alike. */
import { textPieces } from "./engine/tokens.ts";
import type { Random } from "./random.ts";

const OPENERS = [
  "So",
  "Then",
  "At noon",
  "By the pier",
  "In short",
  "As a rule",
  "After that",
  "Off the cape",
];
const WHO = ["the pilot", "our mate", "a clerk", "the crew", "every master", "the owner", "one diver"];
const DOES = ["marks", "checks", "loads", "trims", "logs", "weighs", "sounds", "repairs", "measures"];
const WHAT = ["the hold", "a line", "the draft", "ballast", "both tanks", "the tide table", "some cargo"];
const WHY = [
  "before dusk",
  "for the harbour book",
  "with great care",
  "since salt water lifts more",
  "twice a day",
];

/** English of exactly `tokens` tokens, so that a chat grows by what its script says. */
export function prose(random: Random, tokens: number): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "";
  const pieces: string[] = [];
  while (pieces.length < tokens) {
    const blank = pieces.length === 0 ? "" : " ";
    const sentence = `${blank}${pick(OPENERS)} ${pick(WHO)} ${pick(DOES)} ${pick(WHAT)} ${pick(WHY)}.`;
    pieces.push(...textPieces(sentence));
  }
  return pieces.slice(0, tokens).join("");
}
