/** Start line and fields of one HTTP/1.1 message. */
export interface Head {
  startLine: string;
  /** First value of a field; `name` in lower case. */
  field(name: string): string | undefined;
}

export type Framing =
  | { kind: "none" }
  | { kind: "length"; bytes: number }
  | { kind: "chunked" }
  | { kind: "close" };

/** `text` without the empty line that ends a head. */
export function parseHead(text: string): Head {
  const [startLine = "", ...lines] = text.split("\r\n");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    if (!fields.has(name)) {
      fields.set(name, line.slice(colon + 1).trim());
    }
  }
  return { startLine, field: (name) => fields.get(name) };
}

/** How the body that follows is delimited (RFC 9112 §6.3). */
export function framingOf(kind: "request" | "answer", head: Head): Framing {
  const status = kind === "answer" ? Number(head.startLine.split(" ")[1]) : undefined;
  if (status !== undefined && (status < 200 || status === 204 || status === 304)) {
    return { kind: "none" };
  }
  if (head.field("transfer-encoding")?.toLowerCase().includes("chunked") === true) {
    return { kind: "chunked" };
  }
  const length = head.field("content-length");
  if (length !== undefined) {
    return Number(length) === 0 ? { kind: "none" } : { kind: "length", bytes: Number(length) };
  }
  return kind === "request" ? { kind: "none" } : { kind: "close" };
}
