import { SALTED_HASH_LENGTH, saltedHash } from "./saltedHash.ts";

/** So many characters tell one answer from another, and stay within what an outline keeps of a long text. */
const PRINT_LENGTH = 256;
/** A client that alters an answer leaves its first words alone, mostly. */
const START_LENGTH = 24;
const PIECE_LENGTH = 4 * PRINT_LENGTH;
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
    // In pieces, because of a long text only the beginning is needed, however much white space it has.
    for (let start = 0; start < text.length && print.length < PRINT_LENGTH; start += PIECE_LENGTH) {
      addPiece(text.slice(start, start + PIECE_LENGTH));
    }
  }

  function addPiece(text: string): void {
    if (thinking) {
      passThoughts(text);
      return;
    }
    print += text.replace(/\s+/g, "");
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
    addPiece(seen.slice(end + THOUGHTS_END.length));
  }

  return { add, full: () => print.length >= PRINT_LENGTH, text: () => print };
}

/** The salted hash of a print. Its first half is of the first words alone: answers that were altered share it. */
export function answerHash(salt: string, print: string): string {
  const half = SALTED_HASH_LENGTH / 2;
  const start = saltedHash(salt, `answer begins ${print.slice(0, START_LENGTH)}`);
  return start.slice(0, half) + saltedHash(salt, `answer ${print}`).slice(0, half);
}
