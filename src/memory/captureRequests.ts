/** The requests beside recorded readings: which of them load a model, and which are turns of a chat. */

export interface CapturedRequests {
  /** Milliseconds on the clock of the readings. */
  loads: { model: string; startedAtMs: number; endedAtMs?: number; needBytes?: number }[];
  turnsAtMs: number[];
}

interface Row {
  kind?: string;
  model?: string;
  t_start_ms?: number;
  t_end_ms?: number | null;
  load_duration?: number | null;
}

/** A request that took longer to load than this has started a runner. */
const LOADED_NANOSECONDS = 500_000_000;

/**
 * Reads requests, one JSON object a line. `serverLog` tells how much each load was going to need: llama-server says so
 * before it fills memory. Lines that are no requests are passed over; throws with the line on what is no JSON.
 */
export function parseCapturedRequests(text: string, serverLog?: string): CapturedRequests {
  const needs = serverLog === undefined ? [] : needsOf(serverLog);
  const requests: CapturedRequests = { loads: [], turnsAtMs: [] };
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const row = parseLine(line, index + 1);
    const startedAtMs = row.t_start_ms;
    if (startedAtMs === undefined) continue;
    const loadMs = (row.load_duration ?? 0) / 1e6;
    const loads = row.kind === "load" || (row.load_duration ?? 0) > LOADED_NANOSECONDS;
    if (loads) {
      requests.loads.push({
        model: row.model ?? "a model",
        startedAtMs,
        endedAtMs: row.kind === "load" ? (row.t_end_ms ?? undefined) : startedAtMs + loadMs,
        needBytes: needs[requests.loads.length],
      });
    }
    if (row.kind !== "load") requests.turnsAtMs.push(startedAtMs + (loads ? loadMs : 0));
  }
  return requests;
}

function parseLine(line: string, number: number): Row {
  try {
    const row: unknown = JSON.parse(line);
    return typeof row === "object" && row !== null ? row : {};
  } catch (error) {
    throw new Error(`line ${number}: is not valid JSON`, { cause: error });
  }
}

const MEBIBYTE = 1024 ** 2;

/** Of each runner that is started: the parts that llama-server plans to keep in host memory. */
function needsOf(log: string): (number | undefined)[] {
  const needs: (number | undefined)[] = [];
  for (const line of log.split("\n")) {
    if (line.includes('msg="starting llama-server"') && line.includes("--model ")) {
      needs.push(undefined);
    }
    const part = /breakdown_print: \|\s+- (?:Host|CPU\w*)\s+\|\s+(\d+) =/.exec(line)?.[1];
    if (part !== undefined && needs.length > 0) {
      needs[needs.length - 1] = (needs.at(-1) ?? 0) + Number(part) * MEBIBYTE;
    }
  }
  return needs;
}
