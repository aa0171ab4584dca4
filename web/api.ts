import type { Exchange, SamplePoint } from "../src/types.ts";

export interface ExchangePage {
  exchanges: Exchange[];
  next?: string;
}

/**
 * Reads exchanges, newest first, without clients' polling for lists and versions. Paths are relative, because the page
 * lives under a prefix.
 */
export function readExchanges(query: { limit: number; before?: string }): Promise<ExchangePage> {
  return read(`./api/exchanges?without=other&${search(query)}`) as Promise<ExchangePage>;
}

export async function readSamples(query: {
  from: number;
  to: number;
  points: number;
}): Promise<SamplePoint[]> {
  const { samples } = (await read(`./api/samples?${search(query)}`)) as { samples: SamplePoint[] };
  return samples;
}

/** True when the server answers but wants a login first. */
export async function needsLogin(): Promise<boolean> {
  try {
    return (await fetch("./api/models")).status === 401;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function search(query: Record<string, string | number | undefined>): URLSearchParams {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
}
