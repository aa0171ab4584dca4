/** So many characters tell one answer from another, and stay within what an outline keeps of a long text. */
const PRINT_LENGTH = 256;
const THOUGHTS_BEGIN = "<think>";
const THOUGHTS_END = "</think>";

/** Collects what an answer is known again by when a client sends it back. */
export interface AnswerPrint {
  add(text: string): void;
  /** More text changes nothing. */
  full(): boolean;
  /** The beginning of the answer without white space, which clients trim and wrap, and without thoughts, which they drop. */
  text(): string;
}

export function createAnswerPrint(): AnswerPrint {
  let print = "";
  let thinking = false;
  let decided = false;
  /** The end of the thoughts so far, in which their closing mark may have begun. */
  let carried = "";

  function add(text: string): void {
    if (print.length >= PRINT_LENGTH) {
      return;
    }
    if (thinking) {
      passThoughts(text);
      return;
    }
    // Of a long text only the beginning is needed; what white space it holds is not known before.
    const piece = text.length > 4 * PRINT_LENGTH && decided ? text.slice(0, 4 * PRINT_LENGTH) : text;
    print += piece.replace(/\s+/g, "");
    if (!decided && print.length >= THOUGHTS_BEGIN.length) {
      decided = true;
      if (print.startsWith(THOUGHTS_BEGIN)) {
        const thoughts = print.slice(THOUGHTS_BEGIN.length);
        print = "";
        thinking = true;
        passThoughts(thoughts);
        return;
      }
    }
    print = print.slice(0, PRINT_LENGTH);
  }

  function passThoughts(text: string): void {
    const seen = carried + text;
    const end = seen.indexOf(THOUGHTS_END);
    if (end === -1) {
      carried = seen.slice(1 - THOUGHTS_END.length);
      return;
    }
    thinking = false;
    carried = "";
    add(seen.slice(end + THOUGHTS_END.length));
  }

  return { add, full: () => print.length >= PRINT_LENGTH, text: () => print };
}
