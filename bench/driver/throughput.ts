/** A closed loop: each client starts its next stream when the last one has ended. */
import { createClient } from "../wire/client.ts";
import { monotonicMs } from "../wire/clock.ts";
import { type Dialect, type Order } from "../wire/request.ts";
import type { Endpoint } from "./endpoint.ts";
import { chatRequest } from "./streams.ts";

export interface ThroughputInput extends Endpoint, Order {
  dialect: Dialect;
  clientCount: number;
  /** No stream is started after this; those that run are waited for. */
  durationMs: number;
}

export interface ThroughputResult {
  streamCount: number;
  elapsedMs: number;
}

export async function runThroughput(input: ThroughputInput): Promise<ThroughputResult> {
  const request = chatRequest(input);
  const startMs = monotonicMs();
  const lengths = new Set<number>();
  let streamCount = 0;
  const runClient = async (): Promise<void> => {
    const client = createClient(input.port);
    try {
      while (monotonicMs() - startMs < input.durationMs) {
        let lengthBytes = 0;
        await client.exchange(request, {
          body: (bytes) => {
            lengthBytes += bytes.length;
          },
        });
        lengths.add(lengthBytes);
        streamCount += 1;
      }
    } finally {
      client.close();
    }
  };
  await Promise.all(Array.from({ length: input.clientCount }, runClient));
  if (lengths.size !== 1) {
    throw new Error(`equal streams came out in ${lengths.size} different lengths`);
  }
  return { streamCount, elapsedMs: monotonicMs() - startMs };
}
