import type { Dialect, Operation } from "../types.ts";
import { structFields } from "./lenient.ts";

/** How much a request gives the model to read. */
export interface PromptSize {
  messageCount?: number;
  imageCount: number;
  textBytes: number;
  /** Text after the last answer in the history; absent where there is none. */
  newTextBytes?: number;
}

type Fields = Map<string, unknown>;

/** Parts nest at most: message → tool result → text. Deeper ones are not of any dialect. */
const DEEPEST_PART = 4;

const IMAGE_PARTS = new Set(["image", "image_url", "input_image"]);
/** Templates drop the thinking of earlier turns, so its text is not read again. */
const THINKING_PARTS = new Set(["thinking", "redacted_thinking", "reasoning"]);

/**
 * Counts messages, images and the UTF-8 bytes of the text a model will read: prompt, suffix, system, message contents,
 * tool calls with their results, and the tool definitions, which templates print as roughly this JSON. Neither images
 * nor earlier thinking count as text.
 */
export function measurePrompt(
  fields: Fields,
  { operation, dialect }: { operation: Operation; dialect: Dialect },
): PromptSize {
  const size: PromptSize = { imageCount: 0, textBytes: 0 };
  addContent(fields.get("system"), size);
  addJson(fields.get("tools"), size);
  if (operation === "generate") {
    addContent(fields.get("prompt"), size);
    addContent(fields.get("suffix"), size);
    addImages(fields.get("images"), size);
  } else if (operation === "embed") {
    addContent(fields.get("input") ?? fields.get("prompt"), size);
  } else if (dialect === "responses") {
    addContent(fields.get("instructions"), size);
    addMessages(fields.get("input"), size);
  } else {
    addMessages(fields.get("messages"), size);
  }
  return size;
}

function addMessages(value: unknown, size: PromptSize): void {
  if (!Array.isArray(value)) {
    addContent(value, size);
    size.messageCount = typeof value === "string" ? 1 : 0;
    return;
  }
  let answeredBytes: number | undefined;
  for (const message of value) {
    const isAnswer = addElement(message, size, 0);
    answeredBytes = isAnswer ? size.textBytes : answeredBytes;
  }
  size.messageCount = value.length;
  if (answeredBytes !== undefined) {
    size.newTextBytes = size.textBytes - answeredBytes;
  }
}

function addContent(value: unknown, size: PromptSize, depth = 0): void {
  if (typeof value === "string") {
    size.textBytes += Buffer.byteLength(value);
  }
  if (!Array.isArray(value) || depth > DEEPEST_PART) {
    return;
  }
  for (const part of value) {
    addElement(part, size, depth);
  }
}

/** True when it is what a model said earlier. */
function addElement(part: unknown, size: PromptSize, depth: number): boolean {
  if (typeof part === "string") {
    size.textBytes += Buffer.byteLength(part);
    return false;
  }
  const fields = structFields(part);
  addPart(fields, size, depth + 1);
  const type = fields.get("type");
  return fields.get("role") === "assistant" || type === "function_call" || type === "reasoning";
}

/** A message or a part of one: the dialects differ in which of these fields they use, not in what they mean. */
function addPart(part: Fields, size: PromptSize, depth: number): void {
  const type = part.get("type");
  if (typeof type === "string" && THINKING_PARTS.has(type)) {
    return;
  }
  if (typeof type === "string" && IMAGE_PARTS.has(type)) {
    size.imageCount += 1;
    return;
  }
  addContent(part.get("text"), size, depth);
  addContent(part.get("content"), size, depth);
  addContent(part.get("output"), size, depth);
  addContent(part.get("arguments"), size, depth);
  addImages(part.get("images"), size);
  addJson(part.get("tool_calls"), size);
  addJson(part.get("input"), size);
}

function addImages(value: unknown, size: PromptSize): void {
  if (Array.isArray(value)) {
    size.imageCount += value.length;
  }
}

function addJson(value: unknown, size: PromptSize): void {
  if (typeof value !== "object" || value === null) {
    return;
  }
  try {
    size.textBytes += Buffer.byteLength(JSON.stringify(value));
  } catch {
    // Nested deeper than the stack: no template prints that, so it counts nothing.
  }
}
