import type { Usage } from "../types.ts";
import { asCount, asObject, type JsonObject } from "./lenient.ts";

const LONGEST_MS = 100 * 24 * 3600 * 1000;
const REASON = /^[a-z_]{1,40}$/i;

/**
 * Usage in a final object of Ollama's own dialect. Ollama leaves out every figure that is zero. Durations come in
 * nanoseconds and can be nonsense: v0.24 was seen to send −2^63.
 *
 * There is no `queueMs` here. Total − load − prefill − decode is not the wait for a slot alone: it also holds
 * templating, truncation, and on v0.24 tens of seconds of tokenizing, while the wait for a load is inside the load.
 */
export function ollamaUsage(final: JsonObject): Usage | undefined {
  return stated({
    inputTokens: asCount(final["prompt_eval_count"]),
    outputTokens: asCount(final["eval_count"]),
    totalMs: milliseconds(final["total_duration"]),
    loadMs: milliseconds(final["load_duration"]),
    prefillMs: milliseconds(final["prompt_eval_duration"]),
    decodeMs: milliseconds(final["eval_duration"]),
  });
}

/**
 * The `usage` object of the other dialects: `prompt_tokens` and `completion_tokens`, or `input_tokens` and
 * `output_tokens`. It states no durations. All zeros is what Ollama fills in before it knows (each early chunk of
 * /v1/completions) or never came to know (an answer its repeat guard cut), so that states nothing.
 */
export function compatibleUsage(value: unknown): Usage | undefined {
  const usage = asObject(value);
  if (usage === undefined || isZeroUsage(usage)) {
    return undefined;
  }
  return stated({
    inputTokens: asCount(usage["prompt_tokens"] ?? usage["input_tokens"]),
    outputTokens: asCount(usage["completion_tokens"] ?? usage["output_tokens"]),
  });
}

/** Whether a `usage` object is there and counts nothing at all. */
export function isZeroUsage(value: unknown): boolean {
  const usage = asObject(value);
  if (usage === undefined) {
    return false;
  }
  const counts = ["prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"]
    .map((name) => usage[name])
    .filter((count) => count !== undefined);
  return counts.length > 0 && counts.every((count) => count === 0);
}

/** Why the model stopped, as the answer words it: `stop`, `length`, `tool_calls`, `end_turn`, … */
export function stopReason(value: unknown): string | undefined {
  return typeof value === "string" && REASON.test(value) ? value : undefined;
}

function milliseconds(nanoseconds: unknown): number | undefined {
  if (typeof nanoseconds !== "number" || !Number.isFinite(nanoseconds) || nanoseconds < 0) {
    return undefined;
  }
  const value = nanoseconds / 1e6;
  return value <= LONGEST_MS ? value : undefined;
}

/** Drops what is absent; a usage that states no figure at all is none. */
function stated(figures: Omit<Usage, "provenance">): Usage | undefined {
  const known = Object.entries(figures).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : { ...Object.fromEntries(known), provenance: "measured" };
}
