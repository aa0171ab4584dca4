/** One exchange, with the SHA-256 of the body that was sent and of the body that came back. */
import { createHash } from "node:crypto";
import { createClient } from "../wire/client.ts";
import { CHAT_PATHS, chatBody, requestHead, type Dialect, type Order } from "../wire/request.ts";
import type { Endpoint } from "./endpoint.ts";

export interface FingerprintInput extends Endpoint, Order {
  dialect: Dialect;
  stream: boolean;
  imageBytes: number;
  /** How the request's body is delimited. */
  framing: "length" | "chunked";
}

export interface Fingerprint {
  requestSha256: string;
  answerSha256: string;
}

/** Sizes of the chunks of a chunked upload, in turn: odd, tiny, and larger than any socket buffer. */
const CHUNK_SIZES = [1, 7, 1000, 16_384, 65_537, 300_001];

export async function takeFingerprint(input: FingerprintInput): Promise<Fingerprint> {
  const body = chatBody(input.dialect, input);
  const framing =
    input.framing === "length" ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked";
  const head = requestHead({
    path: CHAT_PATHS[input.dialect],
    port: input.port,
    fields: [...input.fields, framing],
  });
  const answer = createHash("sha256");
  const client = createClient(input.port);
  try {
    await client.exchange(
      {
        bytes: head,
        pour: (write) => (input.framing === "length" ? write(body) : writeChunked(body, write)),
      },
      { body: (bytes) => void answer.update(bytes) },
    );
  } finally {
    client.close();
  }
  return {
    requestSha256: createHash("sha256").update(body).digest("hex"),
    answerSha256: answer.digest("hex"),
  };
}

async function writeChunked(body: Buffer, write: (bytes: Buffer) => Promise<void>): Promise<void> {
  let at = 0;
  for (let index = 0; at < body.length; index += 1) {
    const part = body.subarray(at, at + (CHUNK_SIZES[index % CHUNK_SIZES.length] ?? 1));
    at += part.length;
    await write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
  }
  await write(Buffer.from("0\r\n\r\n"));
}
