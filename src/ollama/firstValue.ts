const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * Parses the first JSON value of a text and ignores what follows, as Go's decoder does: Ollama answers
 * `{…} trailing garbage` with 200. Returns undefined when there is no whole first value.
 */
export function parseFirstValue(text: string): unknown {
  const whole = tryParse(text);
  if (whole !== undefined) {
    return whole;
  }
  const end = endOfFirstValue(text);
  return end === undefined ? undefined : tryParse(text.slice(0, end));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Index behind the object or array the text starts with. Only brackets outside strings count. */
function endOfFirstValue(text: string): number | undefined {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      index = endOfString(text, index + 1);
    } else if (OPENING.has(code)) {
      depth += 1;
    } else if (CLOSING.has(code)) {
      depth -= 1;
      if (depth <= 0) {
        return depth === 0 ? index + 1 : undefined;
      }
    }
  }
  return undefined;
}

/** Index of the closing quote of a string whose first character is at `start`. */
function endOfString(text: string, start: number): number {
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) {
      index += 1;
    } else if (code === QUOTE) {
      return index;
    }
  }
  return text.length;
}
