/** Why a runner was started, as far as the load before it tells. */
import type { Load, LoadCause } from "../types.ts";

const COMPARED = [
  "contextLength",
  "parallel",
  "batch",
  "kvCacheTypeK",
  "kvCacheTypeV",
  "flashAttention",
  "offloadedLayers",
  "mmap",
  "threads",
  "contextShift",
] as const;

/** Ollama ends a runner to start its replacement, so the gap of a reload is short. */
const RELOAD_GAP_MS = 30_000;

export function loadCause(
  load: Load,
  earlier: Load | undefined,
): { cause: LoadCause; differences?: NonNullable<Load["differences"]> } {
  if (earlier === undefined) {
    return { cause: "first" };
  }
  const differences = differencesOf(earlier, load);
  const gapMs = load.startedAt - (earlier.unloadedAt ?? load.startedAt);
  if (differences.length > 0 && gapMs < RELOAD_GAP_MS) {
    return { cause: "options", differences };
  }
  return { cause: gapMs >= RELOAD_GAP_MS ? "expired" : "unknown" };
}

function differencesOf(from: Load, to: Load): NonNullable<Load["differences"]> {
  return COMPARED.flatMap((option) => {
    const before = from.settings?.[option] ?? (option === "contextLength" ? from.contextLength : undefined);
    const after = to.settings?.[option] ?? (option === "contextLength" ? to.contextLength : undefined);
    return before === undefined || after === undefined || before === after
      ? []
      : [{ option, from: String(before), to: String(after) }];
  });
}
