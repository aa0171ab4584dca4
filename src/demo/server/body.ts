/** Reading a request's body as Ollama does: first JSON value only, keys in any case, the last of two equal keys wins. */
import type { IncomingMessage } from "node:http";

export type JsonObject = Record<string, unknown>;

/** A simulated server must not be made to hold everything; real prompts stay far below. */
const LONGEST_BODY_BYTES = 256 * 2 ** 20;

export type Body = { bytes: Buffer } | { tooLarge: true };

/** Bytes past the limit are read and dropped. */
export async function readBody(request: IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<Body> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    onChunk(chunk);
    length += chunk.length;
    if (length <= LONGEST_BODY_BYTES) chunks.push(chunk);
  }
  return length > LONGEST_BODY_BYTES ? { tooLarge: true } : { bytes: Buffer.concat(chunks) };
}

/** The object with its keys in lower case, or the text of Ollama's 400. */
export function parseObject(text: string): { value: JsonObject } | { problem: string } {
  if (text.trim() === "") return { problem: "missing request body" };
  const parsed = parseFirstValue(text);
  if (parsed === undefined) return { problem: problemOf(text) };
  if (!isObject(parsed)) return { problem: "json: cannot unmarshal value into Go value of type api.Request" };
  return { value: lowerKeys(parsed) };
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go matches the keys of a struct without regard to case. */
export function lowerKeys(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key.toLowerCase(), value]));
}

function parseFirstValue(text: string): unknown {
  const whole = tryParse(text);
  if (whole !== undefined) return whole;
  const end = endOfFirstValue(text);
  return end === undefined ? undefined : tryParse(text.slice(0, end));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Where the first object closes, so that what follows it can be ignored. */
function endOfFirstValue(text: string): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return undefined;
}

function problemOf(text: string): string {
  const trimmed = text.trimStart();
  const odd = trimmed.startsWith("{") ? /^\{\s*([^"\s}])/u.exec(trimmed)?.[1] : undefined;
  if (odd !== undefined) return `invalid character '${odd}' looking for beginning of object key string`;
  if (/^[[{"]/u.test(trimmed)) return "unexpected EOF";
  return `invalid character '${trimmed[0] ?? ""}' looking for beginning of value`;
}
