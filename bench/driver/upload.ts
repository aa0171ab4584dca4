/** A blob of any size, from one block that is sent again and again. */
import { createClient } from "../wire/client.ts";
import { monotonicMs } from "../wire/clock.ts";
import { requestHead } from "../wire/request.ts";
import type { Endpoint } from "./endpoint.ts";

export interface UploadInput extends Endpoint {
  bytes: number;
}

const BLOCK_BYTES = 256 * 1024;

/** Answers how long it took, in milliseconds. */
export async function runUpload(input: UploadInput): Promise<number> {
  const block = Buffer.alloc(BLOCK_BYTES, "plimsoll");
  const head = requestHead({
    path: `/api/blobs/sha256:${"0".repeat(64)}`,
    port: input.port,
    fields: [...input.fields, `Content-Length: ${input.bytes}`],
  });
  const client = createClient(input.port);
  const startMs = monotonicMs();
  try {
    await client.exchange({
      bytes: head,
      async pour(write) {
        for (let left = input.bytes; left > 0; left -= BLOCK_BYTES) {
          await write(left >= BLOCK_BYTES ? block : block.subarray(0, left));
        }
      },
    });
  } finally {
    client.close();
  }
  return monotonicMs() - startMs;
}
