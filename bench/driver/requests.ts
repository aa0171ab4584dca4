/** Single requests, each sent to every target in turn: what is compared happened within the same few milliseconds. */
import { createClient, type Client } from "../wire/client.ts";
import { monotonicMs } from "../wire/clock.ts";
import type { Dialect } from "../wire/request.ts";
import type { Endpoint } from "./endpoint.ts";
import { chatRequest } from "./streams.ts";

export interface RequestsInput {
  dialect: Dialect;
  targets: readonly (Endpoint & { name: string })[];
  /** One order of the targets for each request; an index points into `targets`. */
  orders: readonly (readonly number[])[];
  stream: boolean;
  imageBytes: number;
  /** Wait between requests to one target and the next, so that one's afterwork is not another's delay. */
  pauseMs: number;
}

export interface RequestTimes {
  /** From the first byte sent to the first byte of the answer, one a request. */
  firstByteMs: number[];
  /** To the last byte of the answer. */
  answeredMs: number[];
  /** Set when a request failed; nothing more was sent to this target. */
  failure?: string;
}

export async function runRequests(input: RequestsInput): Promise<RequestTimes[]> {
  const clients = input.targets.map((target) => createClient(target.port));
  const requests = input.targets.map((target) =>
    chatRequest({ ...input, ...target, chunkCount: 1, intervalMs: 0 }),
  );
  const times: RequestTimes[] = input.targets.map(() => ({ firstByteMs: [], answeredMs: [] }));
  for (const order of input.orders) {
    for (const index of order) {
      const [client, request, time] = [clients[index], requests[index], times[index]];
      if (client !== undefined && request !== undefined && time?.failure === undefined) {
        await sendOne(client, request, time ?? { firstByteMs: [], answeredMs: [] });
        await pause(input.pauseMs);
      }
    }
  }
  clients.forEach((client) => client.close());
  return times;
}

async function sendOne(client: Client, request: { bytes: Buffer }, times: RequestTimes): Promise<void> {
  let startMs = 0;
  let firstByteMs: number | undefined;
  try {
    await client.exchange(request, {
      sending: () => {
        startMs = monotonicMs();
      },
      read: () => {
        firstByteMs ??= monotonicMs() - startMs;
      },
    });
  } catch (error) {
    times.failure = error instanceof Error ? error.message : String(error);
    return;
  }
  times.firstByteMs.push(firstByteMs ?? NaN);
  times.answeredMs.push(monotonicMs() - startMs);
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds > 0) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}
