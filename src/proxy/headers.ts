/**
 * Which header fields travel. Everything here works on Node's raw header list (`[name, value, name, value, …]`),
 * because it alone keeps names, case, order and repetition.
 */

/** RFC 9110 §7.6.1: fields that speak about one connection only. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/**
 * A client may name any field in `Connection` to have it dropped. These stay whatever it says: without them the
 * next hop would frame the body differently from us, which is how requests are smuggled.
 */
const NEVER_DROPPED = new Set(["host", "content-length"]);

/** All values of one field, in order. `name` in lower case. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (isField(rawHeaders[index] ?? "", name)) {
      values.push(rawHeaders[index + 1] ?? "");
    }
  }
  return values;
}

/** First value of one field. `name` in lower case. */
export function headerValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (isField(rawHeaders[index] ?? "", name)) {
      return rawHeaders[index + 1] ?? "";
    }
  }
  return undefined;
}

function isField(fieldName: string, name: string): boolean {
  return fieldName.length === name.length && fieldName.toLowerCase() === name;
}

/** The request's fields as they go upstream: `Host` is replaced in place, hop-by-hop fields are left out. */
export function upstreamHeaders(
  rawHeaders: readonly string[],
  options: { host: string; dropOrigin: boolean },
): string[] {
  const dropped = connectionOptions(rawHeaders);
  const result: string[] = [];
  let hostSent = false;
  forEachField(rawHeaders, (name, value, key) => {
    if (key === "host") {
      hostSent = true;
      result.push(name, options.host);
    } else if (key === "transfer-encoding") {
      result.push(name, "chunked");
    } else if (!(key === "origin" && options.dropOrigin) && !dropped.has(key)) {
      result.push(name, value);
    }
  });
  // HTTP/1.0 clients may leave Host out, but the upstream hop is HTTP/1.1 and needs one.
  return hostSent ? result : ["Host", options.host, ...result];
}

/**
 * The answer's fields as they go to the client. `Transfer-Encoding` keeps its place when both connections are chunked;
 * an HTTP/1.0 client gets none, and no `Trailer` either, and reads until the connection closes.
 */
export function clientHeaders(rawHeaders: readonly string[], options: { chunked: boolean }): string[] {
  const dropped = connectionOptions(rawHeaders);
  const result: string[] = [];
  forEachField(rawHeaders, (name, value, key) => {
    if (key === "transfer-encoding" && options.chunked) {
      result.push(name, "chunked");
    } else if (!dropped.has(key) && (key !== "trailer" || options.chunked)) {
      result.push(name, value);
    }
  });
  return result;
}

/** `[name, value, name, value]` as the pairs that trailers are set from. */
export function headerPairs(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  forEachField(rawHeaders, (name, value) => pairs.push([name, value]));
  return pairs;
}

function connectionOptions(rawHeaders: readonly string[]): ReadonlySet<string> {
  const named = headerValues(rawHeaders, "connection");
  if (named.length === 0) {
    return HOP_BY_HOP;
  }
  const dropped = new Set(HOP_BY_HOP);
  for (const option of named.join(",").split(",")) {
    const key = option.trim().toLowerCase();
    if (key !== "" && !NEVER_DROPPED.has(key)) {
      dropped.add(key);
    }
  }
  return dropped;
}

function forEachField(
  rawHeaders: readonly string[],
  visit: (name: string, value: string, key: string) => void,
): void {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    visit(name, rawHeaders[index + 1] ?? "", name.toLowerCase());
  }
}
