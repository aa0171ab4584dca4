/** What an exchange looks like whose runner has died. */
import type { Exchange } from "../types.ts";

/** A runner that dies and the answer that breaks off with it are noticed within this. */
export const CRASH_MS = 5000;

const DIED =
  /process (?:has terminated|no longer running)|unexpected EOF|unexpectedly stopped|reported out-of-memory|": EOF$/;

/**
 * `died`: Ollama says so. `perhaps`: it broke off as it does when a runner dies, and for other reasons too; its OpenAI
 * and Anthropic interfaces never say more.
 */
export function crashSign({ state }: Exchange): "died" | "perhaps" | undefined {
  if (state.phase !== "failed") {
    return undefined;
  }
  const { code, message } = state.error;
  if (DIED.test(message)) {
    return "died";
  }
  return code === "ended-early" || code === "upstream-error" || code === "empty-answer"
    ? "perhaps"
    : undefined;
}

/** Ollama itself is gone: it was stopped, or started again. */
export function serverSign({ state }: Exchange): boolean {
  return (
    state.phase === "failed" &&
    (state.error.code === "upstream-unreachable" || state.error.code === "upstream-cut")
  );
}
