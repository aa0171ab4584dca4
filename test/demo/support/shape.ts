/** What two JSON texts must have in common to be read by the same client: keys in their order, and kinds of values. */

export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    const shapes = value.map((item) => JSON.stringify(shapeOf(item)));
    return [...new Set(shapes)].map((shape) => JSON.parse(shape) as unknown);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
  }
  return value === null ? "null" : typeof value;
}

/** Of everything in a body: JSON, lines of JSON, or events; other text stays as it is. Equal neighbours count once. */
export function bodyShape(chunks: readonly string[]): string[] {
  const shapes = chunks
    .flatMap((chunk) => chunk.split(chunk.includes("\n\n") ? "\n\n" : "\n"))
    .filter((event) => event !== "")
    .map((event) => event.split("\n").map(lineShape).join("\n"));
  return shapes.filter((shape, index) => shape !== shapes[index - 1]);
}

function lineShape(line: string): string {
  const [, prefix = "", json = line] = /^(data: )?(.*)$/u.exec(line) ?? [];
  return prefix + (json.startsWith("{") ? JSON.stringify(shapeOf(JSON.parse(json))) : json);
}

/** How a chunk is built of lines, without what the lines say. */
export function chunkForms(chunks: readonly string[]): string[] {
  const forms = chunks.map((chunk) => chunk.replace(/\{.*\}/gu, "{}"));
  return forms.filter((form, index) => form !== forms[index - 1]);
}
