import type { SpawnHelper } from "./helperRun.ts";

/**
 * Variables that change what a runner allocates. An explicit list: an environment also holds keys and tokens
 * (`LLAMA_ARG_API_KEY_FILE`, `HF_TOKEN`), which are never kept.
 */
const WANTED: ReadonlySet<string> = new Set([
  "OLLAMA_CONTEXT_LENGTH",
  "OLLAMA_FLASH_ATTENTION",
  "OLLAMA_GPU_OVERHEAD",
  "OLLAMA_KV_CACHE_TYPE",
  "OLLAMA_MAX_LOADED_MODELS",
  "OLLAMA_NEW_ENGINE",
  "OLLAMA_NUM_PARALLEL",
  "LLAMA_ARG_CACHE_RAM",
  "LLAMA_ARG_CACHE_TYPE_K",
  "LLAMA_ARG_CACHE_TYPE_V",
  "LLAMA_ARG_CTX_CHECKPOINTS",
  "LLAMA_ARG_KV_UNIFIED",
  "LLAMA_ARG_N_GPU_LAYERS",
  "LLAMA_ARG_SWA_FULL",
  "GGML_CUDA_ENABLE_UNIFIED_MEMORY",
]);

/** Settings are numbers and short words. Anything else in their place says nothing and is not kept. */
const SHORT_WORD = /^[\w.,:+-]{1,32}$/;

/** Longer than any real environment: what comes after it is not read. */
const MOST_BYTES = 1024 * 1024;
/** Reading waits for the process's own lock, which a process stuck in the kernel may hold for good. */
const PATIENCE_MS = 2000;

/** The wanted variables of a `NAME=value` list parted by zero bytes. The first of two with one name counts, as in C. */
export function wantedVariables(environ: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of environ.split("\0")) {
    const equals = entry.indexOf("=");
    const name = entry.slice(0, Math.max(0, equals));
    const value = entry.slice(equals + 1).trim();
    if (WANTED.has(name) && !(name in found) && SHORT_WORD.test(value)) found[name] = value;
  }
  return found;
}

/**
 * What of a process's environment bears on its memory; `undefined` when it may not be read (another user's process) or
 * does not answer in time. Read by a helper program: a read that hangs in the kernel takes the helper with it, not us.
 */
export function readProcessEnvironment(
  path: string,
  { spawn, patienceMs = PATIENCE_MS }: { spawn: SpawnHelper; patienceMs?: number },
): Promise<Record<string, string> | undefined> {
  return new Promise((resolve) => {
    let child: ReturnType<SpawnHelper>;
    try {
      child = spawn("cat", [path]);
    } catch {
      resolve(undefined);
      return;
    }
    let text = "";
    const patience = setTimeout(() => {
      child.kill("SIGKILL");
      resolve(undefined);
    }, patienceMs);
    patience.unref();
    child.unref();
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
      if (text.length < MOST_BYTES) text += piece;
    });
    child.once("error", () => {
      clearTimeout(patience);
      resolve(undefined);
    });
    child.once("close", (code) => {
      clearTimeout(patience);
      resolve(code === 0 ? wantedVariables(text) : undefined);
    });
  });
}
