/** The requests beside recorded readings: which of them load a model, and which are turns of a chat. */

export interface CapturedRequests {
  /** Milliseconds on the clock of the readings. */
  loads: { model: string; startedAtMs: number; endedAtMs?: number; needBytes?: number }[];
  turnsAtMs: number[];
  /** Of each turn: the prompt before it, which a runner keeps when another conversation takes its place. */
  expectedTurnBytes: (number | undefined)[];
}

interface Row {
  kind?: string;
  model?: string;
  t_start_ms?: number;
  t_end_ms?: number | null;
  load_duration?: number | null;
  conversation?: number | string;
  prompt_eval_count?: number | null;
  eval_count?: number | null;
}

/** A request that took longer to load than this has started a runner. */
const LOADED_NANOSECONDS = 500_000_000;

/**
 * Reads requests, one JSON object a line. `serverLog` tells how much each load was going to need: llama-server says so
 * before it fills memory. Lines that are no requests are passed over; throws with the line on what is no JSON.
 */
export function parseCapturedRequests(text: string, serverLog?: string): CapturedRequests {
  const plans = serverLog === undefined ? [] : plansOf(serverLog);
  const requests: CapturedRequests = { loads: [], turnsAtMs: [], expectedTurnBytes: [] };
  let before: Row | undefined;
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
        needBytes: plans[requests.loads.length]?.needBytes,
      });
    }
    if (row.kind !== "load") {
      requests.turnsAtMs.push(startedAtMs + (loads ? loadMs : 0));
      requests.expectedTurnBytes.push(
        keptPromptBytes(before, row, plans[requests.loads.length - 1]?.bytesPerToken),
      );
      before = row;
    }
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

/** A conversation that gives way to another one leaves its state in the runner's memory. */
function keptPromptBytes(
  before: Row | undefined,
  row: Row,
  bytesPerToken: number | undefined,
): number | undefined {
  if (before?.conversation === undefined || row.conversation === undefined || bytesPerToken === undefined) {
    return undefined;
  }
  const tokens = (before.prompt_eval_count ?? 0) + (before.eval_count ?? 0);
  return before.conversation === row.conversation || tokens === 0 ? undefined : tokens * bytesPerToken;
}

const MEBIBYTE = 1024 ** 2;

interface Plan {
  needBytes?: number;
  bytesPerToken?: number;
}

/** Of each runner that is started: the parts that llama-server plans to keep in host memory, and its cache by token. */
function plansOf(log: string): Plan[] {
  const plans: (Plan & { contextLength?: number })[] = [];
  for (const line of log.split("\n")) {
    if (line.includes('msg="starting llama-server"') && line.includes("--model ")) {
      const contextLength = Number(/ -c (\d+)/.exec(line)?.[1]);
      plans.push(contextLength > 0 ? { contextLength } : {});
    }
    const part = /breakdown_print: \|\s+- (?:Host|CPU\w*)\s+\|\s+(\d+) =\s+\d+ \+\s+(\d+)/.exec(line);
    const plan = plans.at(-1);
    if (part === null || plan === undefined) continue;
    plan.needBytes = (plan.needBytes ?? 0) + Number(part[1]) * MEBIBYTE;
    const context = Number(part[2]) * MEBIBYTE;
    if (context > 0 && plan.contextLength !== undefined) plan.bytesPerToken = context / plan.contextLength;
  }
  return plans;
}
