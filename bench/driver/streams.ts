/** Many streams at once, each chunk timed from the moment at which it was sent. */
import { createClient } from "../wire/client.ts";
import { monotonicMs } from "../wire/clock.ts";
import { createLineReader } from "../wire/lines.ts";
import { CHAT_PATHS, chatBody, requestHead, type Dialect, type Order } from "../wire/request.ts";
import { readStamp } from "../wire/stamp.ts";
import type { Endpoint } from "./endpoint.ts";

export interface StreamsInput extends Endpoint, Order {
  dialect: Dialect;
  streamCount: number;
  /** Chunks at the start of each stream that are not counted: all streams open at that time. */
  skip: number;
}

export interface StreamsResult {
  /** By chunk, of all streams: when it was sent on the shared clock, and how long it took to arrive. */
  sentAtMs: Float64Array;
  delaysMs: Float64Array;
  /** Chunks that came in one read with an earlier one of the same stream. */
  mergedCount: number;
}

export async function runStreams(input: StreamsInput): Promise<StreamsResult> {
  const sentAtMs: number[] = [];
  const delaysMs: number[] = [];
  let mergedCount = 0;

  const runOne = async (index: number): Promise<void> => {
    // Spread over one interval, as strangers' streams are; started together they would all be due together.
    await new Promise((resolve) => setTimeout(resolve, (index * input.intervalMs) / input.streamCount));
    let receivedAtMs = 0;
    let inThisRead = 0;
    let seen = 0;
    const readLine = createLineReader((line) => {
      const stampMs = readStamp(line);
      if (stampMs === undefined) {
        return;
      }
      seen += 1;
      inThisRead += 1;
      if (seen > input.skip) {
        sentAtMs.push(stampMs);
        delaysMs.push(receivedAtMs - stampMs);
        mergedCount += inThisRead > 1 ? 1 : 0;
      }
    });
    const client = createClient(input.port);
    try {
      await client.exchange(chatRequest(input), {
        read() {
          receivedAtMs = monotonicMs();
          inThisRead = 0;
        },
        body: readLine,
      });
    } finally {
      client.close();
    }
    if (seen !== input.chunkCount) {
      throw new Error(`a stream brought ${seen} of ${input.chunkCount} chunks`);
    }
  };

  await Promise.all(Array.from({ length: input.streamCount }, (_, index) => runOne(index)));
  return { sentAtMs: Float64Array.from(sentAtMs), delaysMs: Float64Array.from(delaysMs), mergedCount };
}

export function chatRequest(
  input: Endpoint & Order & { dialect: Dialect; stream?: boolean; imageBytes?: number },
): { bytes: Buffer } {
  const { dialect, stream = true, imageBytes = 0 } = input;
  const body = chatBody(dialect, { ...input, stream, imageBytes });
  const head = requestHead({
    path: CHAT_PATHS[dialect],
    port: input.port,
    fields: [...input.fields, `Content-Length: ${body.length}`],
  });
  return { bytes: Buffer.concat([head, body]) };
}
