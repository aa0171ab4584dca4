/** Where memory is not visible: what answers tell of trouble there. A suspicion, said as one; never a forecast. */
import type { Episode, Exchange } from "../types.ts";
import type { EpisodeChange } from "./episodes.ts";

export interface DistantSymptoms {
  /** An exchange has ended. */
  ended(exchange: Exchange, at: number): void;
  open(): Episode | undefined;
}

/** A model that is loaded answers without loading; a load that long, while it was, is memory that had to come back. */
const SLOW_LOAD_MS = 1000;
/** Single slow answers happen everywhere. */
const IN_A_ROW = 3;
const KEPT_SPEEDS = 50;
/** Fewer answers at this depth make no median worth comparing with. */
const LEAST_SPEEDS = 8;
/** Speeds are compared at about equal depth only: longer contexts are slower by nature. */
const DEPTH_RATIO = 1.5;
/** Shorter answers are mostly start-up. */
const LEAST_OUTPUT_TOKENS = 16;
const MOST_MODELS = 50;

interface Speed {
  tokensPerSecond: number;
  contextTokens: number;
}

/** One episode at a time, at level `watch`: three suspicious answers in a row raise it, three healthy ones end it. */
export function createDistantSymptoms(parts: {
  newId: () => string;
  onChange: (episode: Episode, change: EpisodeChange) => void;
}): DistantSymptoms {
  const models = new Map<string, { speeds: Speed[]; isWarm: boolean }>();
  let suspicious = 0;
  let healthy = 0;
  let open: Episode | undefined;

  return {
    ended(exchange, at) {
      const { model, usage, state } = exchange;
      if (model === undefined || usage === undefined || state.phase !== "completed") return;
      const known = models.get(model) ?? { speeds: [], isWarm: false };
      models.set(model, known);
      if (models.size > MOST_MODELS) models.delete(models.keys().next().value ?? "");
      const speed = speedOf(exchange);
      const slow = speed !== undefined && isSlow(speed, known.speeds);
      const loaded = known.isWarm && (usage.loadMs ?? 0) > SLOW_LOAD_MS;
      known.isWarm = true;
      if (speed !== undefined && !slow) known.speeds = [...known.speeds, speed].slice(-KEPT_SPEEDS);
      suspicious = slow || loaded ? suspicious + 1 : 0;
      healthy = slow || loaded ? 0 : healthy + 1;
      if (open === undefined && suspicious >= IN_A_ROW) {
        open = {
          id: parts.newId(),
          kind: "memory",
          level: "watch",
          currentLevel: "watch",
          startedAt: at,
          peakAt: at,
          text: `Possible memory trouble on Ollama's host: ${IN_A_ROW} answers running ${slow ? "came at less than half of their usual speed" : "had to wait for a model that was loaded"}. Its memory is not visible from here.`,
          causes: [],
          remedies: [],
        };
        parts.onChange({ ...open }, "raised");
      } else if (open !== undefined && healthy >= IN_A_ROW) {
        open.endedAt = at;
        open.currentLevel = "ok";
        parts.onChange({ ...open }, "ended");
        open = undefined;
      }
    },
    open: () => open && { ...open },
  };
}

function speedOf({ usage, contextTokensUsed }: Exchange): Speed | undefined {
  const { outputTokens = 0, decodeMs = 0, inputTokens = 0 } = usage ?? {};
  if (outputTokens < LEAST_OUTPUT_TOKENS || decodeMs <= 0) return undefined;
  return {
    tokensPerSecond: (outputTokens * 1000) / decodeMs,
    contextTokens: contextTokensUsed ?? inputTokens + outputTokens,
  };
}

/** Under half of the model's own median at about equal context. */
function isSlow({ tokensPerSecond, contextTokens }: Speed, speeds: readonly Speed[]): boolean {
  const alike = speeds
    .filter(
      (other) =>
        other.contextTokens >= contextTokens / DEPTH_RATIO &&
        other.contextTokens <= contextTokens * DEPTH_RATIO,
    )
    .map((other) => other.tokensPerSecond)
    .toSorted((a, b) => a - b);
  if (alike.length < LEAST_SPEEDS) return false;
  return tokensPerSecond < (alike[Math.floor(alike.length / 2)] ?? 0) / 2;
}
