/** Everything a page needs to be drawn from nothing, as it is at this moment. */
import { verdictOf } from "./status.ts";
import type {
  Conversation,
  Episode,
  Exchange,
  Forecast,
  Health,
  LoadedModel,
  Machine,
  MemorySample,
  Snapshot,
  Verdict,
} from "./types.ts";

export function createSnapshot(parts: {
  now: () => number;
  version: string;
  simulated?: boolean;
  machine: () => Machine | undefined;
  /** Absent when the last reading says nothing about now. */
  sample: () => MemorySample | undefined;
  models: () => LoadedModel[];
  live: () => Exchange[];
  conversations: () => Conversation[];
  warning: () => {
    level(): Exclude<Verdict["level"], "unknown">;
    forecast(): Forecast | undefined;
    episodes(): Episode[];
  };
  health: () => Health;
}): () => Snapshot {
  return () => {
    const sample = parts.sample();
    const exchanges = parts.live();
    const health = parts.health();
    const warning = parts.warning();
    const forecast = warning.forecast();
    return {
      takenAt: parts.now(),
      version: parts.version,
      machine: parts.machine(),
      simulated: parts.simulated,
      verdict: verdictOf({
        sample,
        live: exchanges,
        health,
        // Without a fresh reading there is no level either.
        alertLevel: sample === undefined ? "ok" : warning.level(),
        forecast,
      }),
      headroomBytes: sample?.headroomBytes,
      sample,
      models: parts.models(),
      exchanges,
      conversations: parts.conversations(),
      episodes: warning.episodes(),
      forecast,
      health,
    };
  };
}
