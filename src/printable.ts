/** Names of models and clients come from whoever sends a request: nothing in them may drive the terminal they are printed on. */

/** Control, format (bidirectional overrides too), private and lone surrogate characters, line ends among them. */
const UNPRINTABLE = /\p{C}/gu;
/** The same but for the line ends and tabs of a text of ours. */
const UNPRINTABLE_IN_TEXT = /[^\P{C}\n\t]/gu;

/** One line of text, every character in it visible. */
export function printableLine(text: string): string {
  return text.replace(UNPRINTABLE, "\uFFFD");
}

/** A text of several lines for a terminal. */
export function printableText(text: string): string {
  return text.replace(UNPRINTABLE_IN_TEXT, "\uFFFD");
}
