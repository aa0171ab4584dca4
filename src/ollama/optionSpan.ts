/** Where in a request's bytes an option's number stands, as Go's decoder would come to its value. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SMALL_N = 0x6e;

export interface Span {
  start: number;
  end: number;
}

/**
 * The span of the number that is `options.<name>` of a body whose first JSON value is an object; undefined when it has
 * no such number. The field `options` matches in any case, the option's name exactly. Go fills one map from every
 * `options` object it meets, so the last number of that name counts, even in an earlier object; `null` empties the map.
 */
export function findOptionNumber(bytes: Uint8Array, name: string): Span | undefined {
  let found: Span | undefined;
  forEachField(bytes, skipSpace(bytes, 0), (field, value) => {
    if (fold(field) !== "options") {
      return;
    }
    if (bytes[value.start] === SMALL_N) {
      found = undefined;
    } else if (bytes[value.start] === OPEN_OBJECT) {
      forEachField(bytes, value.start, (option, number) => {
        if (option === name) {
          found = number;
        }
      });
    }
  });
  return found !== undefined && isNumber(bytes, found) ? found : undefined;
}

/** Replaces the bytes of a span, copying nothing but the replacement. */
export function replaceSpan(bytes: Buffer, span: Span, text: string): Buffer[] {
  return [bytes.subarray(0, span.start), Buffer.from(text), bytes.subarray(span.end)];
}

/** As Go compares the keys of a struct; see `structFields`. */
function fold(key: string): string {
  return key.toLowerCase().replaceAll("ſ", "s");
}

function forEachField(bytes: Uint8Array, start: number, visit: (name: string, value: Span) => void): void {
  if (bytes[start] !== OPEN_OBJECT) {
    return;
  }
  let at = skipSpace(bytes, start + 1);
  while (bytes[at] === QUOTE) {
    const nameEnd = endOfString(bytes, at);
    const name = readString(bytes, at, nameEnd);
    at = skipSpace(bytes, nameEnd);
    if (bytes[at] !== COLON) {
      return;
    }
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = endOfValue(bytes, valueStart);
    visit(name, { start: valueStart, end: valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] !== COMMA) {
      return;
    }
    at = skipSpace(bytes, at + 1);
  }
}

function readString(bytes: Uint8Array, start: number, end: number): string {
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))) as string;
  } catch {
    return "";
  }
}

function isNumber(bytes: Uint8Array, { start, end }: Span): boolean {
  return /^-?\d[\d.eE+-]*$/.test(
    new TextDecoder("latin1").decode(bytes.subarray(start, Math.min(end, start + 64))),
  );
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isSpace(bytes[at])) {
    at += 1;
  }
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Index behind the closing quote of the string that starts at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) {
      at += 1;
    } else if (bytes[at] === QUOTE) {
      return at + 1;
    }
  }
  return bytes.length;
}

/** Index behind the value that starts at `start`. */
function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) {
    return endOfString(bytes, start);
  }
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) {
    let at = start;
    while (at < bytes.length && !isSpace(bytes[at]) && !isEnd(bytes[at])) {
      at += 1;
    }
    return at;
  }
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at) - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) {
        return at + 1;
      }
    }
  }
  return bytes.length;
}

function isEnd(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST;
}
