import type { Dialect } from "../types.ts";

const QUOTE = 0x22;
const COLON = 0x3a;
const CLOSE_OBJECT = 0x7d;
const OLLAMA_TAIL = Buffer.from(',"done":false}');
const OPENAI_TAIL = Buffer.from('},"finish_reason":null}]}');

/** Events that are a piece of the answer by their name alone. */
const CONTENT_EVENTS = new Set([
  "content_block_delta",
  "response.output_text.delta",
  "response.reasoning_summary_text.delta",
]);

/**
 * Tells an ordinary content chunk, nearly every chunk of a stream, by its last bytes and without parsing it. False
 * means "not sure", never "no".
 *
 * Why the bytes are proof: a JSON document ends outside of any string, and in `,"done":false}` neither quote has a
 * backslash before it, so both are real; the first follows a comma, so it opens a key, and the last bracket makes it
 * the outermost object's. The same holds for `},"finish_reason":null}]}`. Such a chunk is neither the last one nor an
 * error, for those have other last members. Before the tail stands the text, which Ollama writes last; `:""` there is
 * an empty one, since a quote that belongs to the text would have a backslash before it.
 */
export function isPlainContent(
  chunk: Buffer,
  { dialect, name }: { dialect: Dialect; name: string },
): boolean {
  if (dialect === "anthropic" || dialect === "responses") {
    return CONTENT_EVENTS.has(name);
  }
  if (dialect === "ollama") {
    const end = startOfTail(chunk, OLLAMA_TAIL);
    return endsInText(chunk, chunk[end - 1] === CLOSE_OBJECT ? end - 1 : end);
  }
  return dialect === "openai" && endsInText(chunk, startOfTail(chunk, OPENAI_TAIL));
}

/** Index at which the tail begins, or −1. */
function startOfTail(chunk: Buffer, tail: Buffer): number {
  const start = chunk.length - tail.length;
  for (let index = 0; index < tail.length; index += 1) {
    if (chunk[start + index] !== tail[index]) {
      return -1;
    }
  }
  return start;
}

/** Whether the bytes before `end` close a string that is not empty. */
function endsInText(chunk: Buffer, end: number): boolean {
  return chunk[end - 1] === QUOTE && !(chunk[end - 2] === QUOTE && chunk[end - 3] === COLON);
}
