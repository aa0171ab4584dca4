import type { Context } from "hono";

/** A body that is longer than the question it belongs to may be. */
export class BodyTooLarge extends Error {}

/**
 * The body as text. Throws `BodyTooLarge` when it is longer than `mostBytes`. Hono's own limit puts a body without a length
 * into a new request, which the server's light one cannot be made into.
 */
export async function bodyText(context: Context, mostBytes: number): Promise<string> {
  const tooLarge = (): BodyTooLarge => new BodyTooLarge(`The body is at most ${mostBytes} bytes here.`);
  if (Number(context.req.header("content-length") ?? 0) > mostBytes) throw tooLarge();
  const { body } = context.req.raw;
  if (body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The body as JSON, or undefined where it is none. Throws as `bodyText` does. */
export async function bodyJson(context: Context, mostBytes: number): Promise<unknown> {
  const text = await bodyText(context, mostBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
