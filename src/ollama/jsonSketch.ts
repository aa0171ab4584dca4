import { createBoundedText } from "./boundedText.ts";

/**
 * Reads a JSON document of any length while it passes, keeping only its outline: long strings are cut, long lists lose
 * their tail, everything else stays. An answer's model, counts and error are all in the outline; what is left out is
 * the text, the embeddings, the token ids. So a 30 MB answer costs kilobytes, and no `JSON.parse` of megabytes holds up
 * other streams.
 */
export interface JsonSketch {
  push(chunk: Uint8Array): void;
  /** The first JSON object or list is closed; what follows it is ignored. */
  whole(): boolean;
  /** Whether any byte but white space has come. */
  begun(): boolean;
  /** Elements of the longest list of numbers right in the document's object, those left out included. */
  longestNumberList(): number;
  /** The outline parsed, or undefined while it is not whole, or when it is no JSON, or larger than its limit. */
  value(): unknown;
}

export interface JsonSketchLimits {
  /** Bytes kept of each string, keys included. A character may be cut in two at the end. */
  textBytes?: number;
  /** Elements kept of each list. */
  listItems?: number;
  /** Objects kept of each list, where that is another number. */
  listObjects?: number;
  /** Bytes of the outline; a document that needs more is followed to its end but has no value. */
  sketchBytes?: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LETTER_U = 0x75;
const SPACE = 0x20;
/** What follows the backslash of the longest escape: `uXXXX`. */
const ESCAPE_BYTES = 5;
const ENDS_TEXT = tableOf(QUOTE, BACKSLASH);
const BRACKETS = tableOf(QUOTE, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT);
/** Deeper nesting is not of this world; following it would cost memory without end. */
const DEEPEST = 512;

/** One open list or object. */
interface Level {
  isList: boolean;
  /** False for an element beyond the limit, and for all in it. */
  kept: boolean;
  /** Something has been kept in it, so the next kept thing needs a comma. */
  filled: boolean;
  /** Elements seen, in a list. */
  items: number;
  commas: number;
  /** Nothing but numbers and words so far. */
  plain: boolean;
}

export function createJsonSketch(limits: JsonSketchLimits = {}): JsonSketch {
  const { textBytes = 2048, listItems = 32, sketchBytes = 256 * 1024 } = limits;
  const listObjects = limits.listObjects ?? listItems;
  const out = createBoundedText(sketchBytes);
  const levels: Level[] = [];
  let level: Level | undefined;
  let begun = false;
  let whole = false;
  let longest = 0;
  let hopeless = false;
  let afterColon = false;
  /** What the current byte belongs to. */
  let inside: "gap" | "text" | "plain" = "gap";
  let keeping = true;
  let textLeft = 0;
  let escapeLeft = 0;
  let escapeKept = false;

  /** A key, a value or an element starts: decides whether it is kept, and writes the comma before it. */
  function startPart(most = listItems): boolean {
    if (level === undefined) {
      return true;
    }
    if (!level.kept) {
      return false;
    }
    if (afterColon) {
      afterColon = false;
      return true;
    }
    level.items += 1;
    if (level.isList && level.items > most) {
      return false;
    }
    if (level.filled) {
      out.add(COMMA);
    }
    level.filled = true;
    return true;
  }

  function open(byte: number): void {
    const kept = startPart(byte === OPEN_OBJECT ? listObjects : listItems);
    notPlain();
    if (kept) {
      out.add(byte);
    }
    level = { isList: byte === OPEN_LIST, kept, filled: false, items: 0, commas: 0, plain: true };
    levels.push(level);
    if (levels.length > DEEPEST) {
      hopeless = true;
    }
  }

  function notPlain(): void {
    if (level !== undefined) {
      level.plain = false;
    }
  }

  function close(byte: number): void {
    if (level?.isList === true && level.plain && levels.length === 2) {
      longest = Math.max(longest, level.items === 0 ? 0 : level.commas + 1);
    }
    if (level?.kept === true) {
      out.add(byte);
    }
    levels.pop();
    level = levels[levels.length - 1];
    whole = level === undefined;
  }

  function textByte(byte: number): void {
    if (escapeLeft > 0) {
      const isFirst = escapeLeft === ESCAPE_BYTES;
      escapeLeft = isFirst && byte !== LETTER_U ? 0 : escapeLeft - 1;
      if (escapeKept) {
        out.add(byte);
      }
      return;
    }
    if (byte === QUOTE) {
      inside = "gap";
      if (keeping) {
        out.add(byte);
      }
      return;
    }
    const kept = keeping && textLeft > 0;
    textLeft -= 1;
    if (byte === BACKSLASH) {
      // An escape is kept or dropped as one: a cut in its middle would spoil the outline.
      escapeLeft = kept ? ESCAPE_BYTES : 1;
      escapeKept = kept;
    }
    if (kept) {
      out.add(byte);
    }
  }

  function gapByte(byte: number): void {
    if (byte <= SPACE) {
      return;
    }
    begun = true;
    if (byte === QUOTE) {
      inside = "text";
      notPlain();
      keeping = startPart();
      textLeft = textBytes;
      if (keeping) {
        out.add(byte);
      }
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      open(byte);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      close(byte);
    } else if (byte === COLON) {
      if (level?.kept === true) {
        afterColon = true;
        out.add(byte);
      }
    } else if (byte === COMMA) {
      countCommas(1);
    } else {
      inside = "plain";
      keeping = startPart();
      if (keeping) {
        out.add(byte);
      }
    }
  }

  function countCommas(count: number): void {
    if (level !== undefined) {
      level.commas += count;
    }
  }

  /** Nothing but brackets and quotes matters in a list that is full or in what is not kept at all. */
  function dropsPlain(): boolean {
    return level !== undefined && (!level.kept || (level.isList && level.items > listItems));
  }

  function push(chunk: Uint8Array): void {
    let index = 0;
    while (index < chunk.length) {
      if (whole || hopeless) {
        return;
      }
      if (inside === "text" && escapeLeft === 0 && (!keeping || textLeft <= 0)) {
        index = skip(chunk, index, ENDS_TEXT);
      } else if (inside !== "text" && dropsPlain()) {
        inside = "gap";
        const end = skip(chunk, index, BRACKETS);
        countCommas(commasIn(chunk, index, end));
        index = end;
      }
      const byte = chunk[index];
      index += 1;
      if (byte === undefined) {
        return;
      }
      if (inside === "text") {
        textByte(byte);
      } else if (inside === "plain" && !endsPlain(byte)) {
        if (keeping) {
          out.add(byte);
        }
      } else {
        inside = "gap";
        gapByte(byte);
      }
    }
  }

  return {
    push,
    whole: () => whole,
    begun: () => begun,
    longestNumberList: () => longest,
    value: () => (whole ? parsed(out.text()) : undefined),
  };
}

/** Index of the first byte from `start` on that is marked in `wanted`, or the chunk's length. */
function skip(chunk: Uint8Array, start: number, wanted: Uint8Array): number {
  let index = start;
  while (index < chunk.length && wanted[chunk[index] ?? 0] === 0) {
    index += 1;
  }
  return index;
}

function commasIn(chunk: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index += 1) {
    count += chunk[index] === COMMA ? 1 : 0;
  }
  return count;
}

function tableOf(...bytes: number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of bytes) {
    table[byte] = 1;
  }
  return table;
}

function endsPlain(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT || byte <= SPACE;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
