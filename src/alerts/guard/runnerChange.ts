/** Whether a request makes Ollama start a runner: the model has none, or one that was started with other options. Pure. */

export interface RunnerOptions {
  /** `num_ctx`, where the request names it. */
  contextLength?: number | undefined;
  /** The other options that a runner is started with, as sent. */
  options: Readonly<Record<string, number | boolean>>;
}

/** `unknown`: it depends on something that cannot be seen from here. */
export type RunnerChange = "none" | "loads" | "unknown";

/** Options whose change makes Ollama end a runner and start another; `num_ctx` is judged apart. */
const COMPARED = ["num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict", "shift"];

/**
 * By Ollama's own rule for when a loaded runner still serves; where an option was never seen, `unknown` rather than a
 * guess.
 */
export function runnerChange(
  asked: RunnerOptions,
  now: {
    /** Absent: no runner. */
    loaded?: { contextLength?: number | undefined } | undefined;
    /** What the request before this one asked of the same model; absent when it was not seen. */
    last?: RunnerOptions | undefined;
    /** The context of whoever names none, where the model or the server's environment says it. */
    defaultContextLength?: number | undefined;
    /** Ollama gives no more than this. */
    trainedContextLength?: number | undefined;
  },
): RunnerChange {
  const { loaded, last } = now;
  if (loaded === undefined) {
    return "loads";
  }
  const context = contextChange(asked, now, loaded.contextLength);
  if (context === "loads") {
    return "loads";
  }
  if (last === undefined) {
    return Object.keys(optionsOf(asked)).length === 0 ? context : "unknown";
  }
  const [before, after] = [optionsOf(last), optionsOf(asked)];
  return COMPARED.some((name) => before[name] !== after[name]) ? "loads" : context;
}

function contextChange(
  asked: RunnerOptions,
  now: Parameters<typeof runnerChange>[1],
  loadedContext: number | undefined,
): RunnerChange {
  const { last, defaultContextLength, trainedContextLength = Number.POSITIVE_INFINITY } = now;
  if (asked.contextLength === undefined && last !== undefined && last.contextLength === undefined) {
    return "none";
  }
  const wanted = asked.contextLength ?? defaultContextLength;
  if (wanted === undefined || loadedContext === undefined) {
    return "unknown";
  }
  return Math.min(wanted, trainedContextLength) === loadedContext ? "none" : "loads";
}

/** As Ollama compares them: a negative number of layers is its own choice, and shifting is on unless switched off. */
function optionsOf({ options }: RunnerOptions): Record<string, number | boolean> {
  const compared: Record<string, number | boolean> = {};
  for (const name of COMPARED) {
    const value = options[name];
    const isDefault =
      value === undefined ||
      (name === "num_gpu" && Number(value) < 0) ||
      (name === "shift" && value === true);
    if (!isDefault) {
      compared[name] = value;
    }
  }
  return compared;
}
