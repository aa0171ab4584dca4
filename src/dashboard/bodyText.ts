import type { Context } from "hono";

/**
 * The body as text, or undefined when it is longer than `mostBytes`. Hono's own limit puts a body without a length into a
 * new request, which the server's light one cannot be made into.
 */
export async function bodyText(context: Context, mostBytes: number): Promise<string | undefined> {
  if (Number(context.req.header("content-length") ?? 0) > mostBytes) return undefined;
  const { body } = context.req.raw;
  if (body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
