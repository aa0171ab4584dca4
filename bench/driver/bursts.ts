/** Large requests at intervals, with the times between which each was on its way. */
import { createClient } from "../wire/client.ts";
import { monotonicMs } from "../wire/clock.ts";
import type { Dialect } from "../wire/request.ts";
import type { Endpoint } from "./endpoint.ts";
import { chatRequest } from "./streams.ts";

export interface BurstsInput extends Endpoint {
  dialect: Dialect;
  imageBytes: number;
  count: number;
  /** Quiet time before each. */
  pauseMs: number;
}

/** `[from, to]` of each request on the shared clock: first byte sent, last byte of the answer received. */
export type BurstWindows = [number, number][];

export async function runBursts(input: BurstsInput): Promise<BurstWindows> {
  const request = chatRequest({ ...input, chunkCount: 1, intervalMs: 0, stream: false });
  const client = createClient(input.port);
  const windows: BurstWindows = [];
  try {
    for (let sent = 0; sent < input.count; sent += 1) {
      await new Promise((resolve) => setTimeout(resolve, input.pauseMs));
      const fromMs = monotonicMs();
      await client.exchange(request);
      windows.push([fromMs, monotonicMs()]);
    }
  } finally {
    client.close();
  }
  return windows;
}
