import { asObject } from "./lenient.ts";

/** Parts nest no deeper in any dialect. */
const DEEPEST_PART = 3;
const TEXT_PARTS = new Set<unknown>(["text", "input_text", "output_text", undefined]);
/** Some clients put reminders of their own into the user's message, and take them out again later. */
const REMINDER = "<system-reminder>";

/** The text of a message's content in any dialect: a string, parts, or nothing. */
export function textOf(content: unknown, depth = 0): string {
  if (typeof content === "string") {
    return content;
  }
  if (!Array.isArray(content) || depth >= DEEPEST_PART) {
    return "";
  }
  const texts = content.map((part) => partText(part, depth)).filter((text) => text !== "");
  return texts.length > 1 ? texts.join("\n") : (texts[0] ?? "");
}

function partText(part: unknown, depth: number): string {
  if (typeof part === "string") {
    return part;
  }
  const fields = asObject(part);
  if (fields === undefined || !TEXT_PARTS.has(fields["type"])) {
    return "";
  }
  const text = textOf(fields["text"], depth + 1);
  return text.startsWith(REMINDER) ? "" : text;
}

const EDGE = 64;

/** What tells one set of images from another: their number, sizes and edges. Undefined without images. */
export function mediaOf(message: Map<string, unknown>): string | undefined {
  const images: unknown[] = [];
  const own = message.get("images");
  if (Array.isArray(own)) {
    images.push(...own);
  }
  const content = message.get("content");
  if (Array.isArray(content)) {
    images.push(...content.map((part) => imageOf(asObject(part))).filter((image) => image !== undefined));
  }
  const marks = images.filter((image) => typeof image === "string").map(edgesOf);
  return marks.length === 0 ? undefined : marks.join(" ");
}

/** The data or the address of an image part of the OpenAI, Responses and Anthropic dialects. */
function imageOf(part: Record<string, unknown> | undefined): unknown {
  if (part?.["type"] === "image") {
    const source = asObject(part["source"]);
    return source?.["data"] ?? source?.["url"];
  }
  const url = part?.["image_url"];
  return asObject(url)?.["url"] ?? url;
}

function edgesOf(image: string): string {
  return `${image.length}:${image.slice(0, EDGE)}:${image.slice(-EDGE)}`;
}
