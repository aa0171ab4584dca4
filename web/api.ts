/** What the page asks over HTTP, but for what-if and alerts. */
import type { Conversation, Exchange, Load, SamplePoint } from "../src/types.ts";
import { tidyAll, tidyConversation, tidyExchange, tidyLoad, tidySample } from "./tidy.ts";

/** The server over HTTP. Paths are relative, because the page lives under a prefix. */

export interface ExchangePage {
  exchanges: Exchange[];
  next?: string;
}

/** Reads exchanges, newest first, without clients' polling for lists and versions. */
export async function readExchanges(query: {
  limit: number;
  before?: string;
  conversation?: string;
}): Promise<ExchangePage> {
  const { exchanges, next } = await read<{ exchanges: unknown; next?: string }>(
    `./api/exchanges?without=other&${search(query)}`,
  );
  return { exchanges: tidyAll(exchanges, tidyExchange), next };
}

export async function readSamples(query: {
  from: number | undefined;
  to: number | undefined;
  points: number;
}): Promise<SamplePoint[]> {
  const { samples } = await read<{ samples: SamplePoint[] }>(`./api/samples?${search(query)}`);
  return samples.map(tidySample);
}

export async function readLoads(): Promise<Load[]> {
  return tidyAll((await read<{ loads: unknown }>("./api/loads?limit=200")).loads, tidyLoad);
}

export async function readConversation(id: string): Promise<Conversation | undefined> {
  return tidyConversation(await read<Conversation>(`./api/conversations/${encodeURIComponent(id)}`));
}

export interface Score {
  n: number;
  medianErrorRatio: number;
  p90ErrorRatio: number;
  biasRatio: number;
}

export interface AccuracyAnswer {
  overall?: Record<string, Score>;
  models?: { model: string; scores: Record<string, Score> }[];
}

export function readAccuracy(): Promise<AccuracyAnswer> {
  return read("./api/accuracy");
}

/** Asks the server to do something; its answer, or an error with its words. */
export async function post(path: string, body?: unknown): Promise<unknown> {
  return answerOf(
    await fetch(path, {
      method: "POST",
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    }),
  );
}

/** True when the server answers but wants a login first. */
export async function needsLogin(): Promise<boolean> {
  try {
    return (await fetch("./api/models")).status === 401;
  } catch {
    return false;
  }
}

export async function read<T>(path: string): Promise<T> {
  return (await answerOf(await fetch(path))) as T;
}

async function answerOf(response: Response): Promise<unknown> {
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { message?: string } }
    | undefined;
  if (response.ok) return answer;
  throw new Error(answer?.error?.message ?? `${response.url} answered ${response.status}`);
}

export function search(query: Record<string, string | number | undefined>): URLSearchParams {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
}
