import type { RequestFacts } from "../types.ts";
import { parseGoDuration } from "./goDuration.ts";
import { asObject } from "./lenient.ts";

const NUMBERS = ["num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict"] as const;

/**
 * What a native request says about the runner: context length, how long to keep it, and every option whose change makes
 * Ollama kill and reload it. Options are a Go map, not a struct: their names match exactly or not at all. A whole
 * number is cut out of a fraction, as Ollama does.
 */
export function readRunnerSettings(fields: Map<string, unknown>): RequestFacts {
  const facts: RequestFacts = {};
  const options = asObject(fields.get("options"));
  const runnerOptions: Record<string, number | boolean> = {};
  for (const name of NUMBERS) {
    const value = wholeNumber(options?.[name]);
    if (value !== undefined) {
      runnerOptions[name] = value;
    }
  }
  const mmap = options?.["use_mmap"];
  if (typeof mmap === "boolean") {
    runnerOptions["use_mmap"] = mmap;
  }
  const shift = fields.get("shift");
  if (typeof shift === "boolean") {
    runnerOptions["shift"] = shift;
  }
  if (Object.keys(runnerOptions).length > 0) {
    facts.runnerOptions = runnerOptions;
  }

  const contextLength = runnerOptions["num_ctx"];
  if (typeof contextLength === "number" && contextLength > 0) {
    facts.requestedContextLength = contextLength;
  }
  const maxOutputTokens = wholeNumber(options?.["num_predict"]);
  if (maxOutputTokens !== undefined && maxOutputTokens > 0) {
    facts.maxOutputTokens = maxOutputTokens;
  }
  const keepAliveSeconds = readKeepAlive(fields.get("keep_alive"));
  if (keepAliveSeconds !== undefined) {
    facts.keepAliveSeconds = keepAliveSeconds;
  }
  return facts;
}

function wholeNumber(value: unknown): number | undefined {
  if (typeof value !== "number") {
    return undefined;
  }
  const whole = Math.trunc(value);
  return Number.isSafeInteger(whole) ? whole + 0 : undefined;
}

/** Seconds; −1 for ever. Ollama counts nanoseconds, so less than one of them is 0 and unloads. */
function readKeepAlive(value: unknown): number | undefined {
  const seconds = typeof value === "string" ? parseGoDuration(value) : value;
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) {
    return undefined;
  }
  if (seconds < 0) {
    return -1;
  }
  return seconds < 1e-9 ? 0 : seconds;
}
