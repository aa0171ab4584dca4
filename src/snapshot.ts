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
}): { snapshot: () => Snapshot; verdict: () => Verdict } {
  const verdict = (): Verdict => {
    const sample = parts.sample();
    const warning = parts.warning();
    return verdictOf({
      sample,
      live: parts.live(),
      health: parts.health(),
      // Without a fresh reading there is no level either.
      alertLevel: sample === undefined ? "ok" : warning.level(),
      forecast: warning.forecast(),
    });
  };
  const snapshot = (): Snapshot => {
    const sample = parts.sample();
    const warning = parts.warning();
    return {
      takenAt: parts.now(),
      version: parts.version,
      machine: parts.machine(),
      simulated: parts.simulated,
      verdict: verdict(),
      headroomBytes: sample?.headroomBytes,
      sample,
      models: parts.models(),
      exchanges: parts.live(),
      conversations: parts.conversations(),
      episodes: warning.episodes(),
      forecast: warning.forecast(),
      health: parts.health(),
    };
  };
  return { snapshot, verdict };
}
