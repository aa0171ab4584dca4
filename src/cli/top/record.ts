/** What was recorded before `plimsoll top` began to look. */
import type { Exchange, SamplePoint } from "../../types.ts";

export interface TopRecord {
  exchanges: Exchange[];
  samples: SamplePoint[];
}

const SPAN_MS = 10 * 60_000;
/** More than a terminal has columns. */
const POINTS = 300;

/** Reads the latest exchanges and ten minutes of memory. Rejects when the record cannot be read. */
export async function readRecord(url: string, token: string | null, now: number): Promise<TopRecord> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const read = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${url}/plimsoll/api/${path}`, { headers, signal: AbortSignal.timeout(5000) });
    if (!answer.ok) {
      throw new Error(`${path} answered ${answer.status}`);
    }
    return (await answer.json()) as T;
  };
  const [{ exchanges }, { samples }] = await Promise.all([
    read<{ exchanges: Exchange[] }>("exchanges?without=other&limit=100"),
    read<{ samples: SamplePoint[] }>(
      `samples?points=${POINTS}&from=${Math.floor(now - SPAN_MS)}&to=${Math.ceil(now)}`,
    ),
  ]);
  return { exchanges, samples };
}
