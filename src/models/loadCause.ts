/** Why a runner was started, from how the one before it went and what the request that needs it asked for. */
import type { Load, LoadCause } from "../types.ts";

/** How a runner went, as far as that could be seen when it did. */
export interface Departure {
  /** Looked for and not found. */
  at: number;
  /** It was there the last time: it went between the two. */
  lastSeenAt: number;
  /** When Ollama would have unloaded it for want of requests; undefined when it was to stay, or nobody knows. */
  expiresAt?: number;
  /** A request asked for that. */
  unloaded: boolean;
  /** Ollama said that it died, or an answer broke off as it does when a runner dies, and for other reasons too. */
  crashed?: "died" | "perhaps";
  /** Ollama itself did not answer around that time. */
  serverGone: boolean;
}

export interface LoadFacts {
  startedAt: number;
  /** When the request that needs it came; undefined when nobody saw it. */
  askedAt?: number;
  /** The load of the same model before this one. */
  earlier?: { departure: Departure };
  differences: NonNullable<Load["differences"]>;
  /** Both runners are children of an Ollama, and not of the same one. */
  otherServer: boolean;
  /** Starts of other models' runners. */
  otherStartsAt: readonly number[];
  /** It was there before anyone looked. */
  foundRunning: boolean;
}

/** A runner is killed to start its replacement, so the gap of a reload is short. */
const RELOAD_GAP_MS = 30_000;
/** Clocks of two machines, and of a poll that is a moment late. */
const EXPIRY_SLACK_MS = 1500;
/** Room is made right before it is taken; a load that is noticed late has begun earlier. */
const EVICTION_BEFORE_MS = 10_000;
const EVICTION_AFTER_MS = 15_000;

export function loadCause(facts: LoadFacts): LoadCause {
  const { earlier, differences } = facts;
  if (earlier === undefined) {
    return facts.foundRunning ? "unknown" : "first";
  }
  const { departure } = earlier;
  if (departure.crashed === "died") {
    return "crashed";
  }
  if (departure.serverGone || facts.otherServer) {
    return "restarted";
  }
  const askedAt = facts.askedAt ?? facts.startedAt;
  if (
    departure.unloaded ||
    (departure.expiresAt !== undefined && askedAt >= departure.expiresAt - EXPIRY_SLACK_MS)
  ) {
    return "expired";
  }
  // Whoever asked before the runner went is why it went.
  const replaced = askedAt <= departure.at && facts.startedAt - departure.lastSeenAt < RELOAD_GAP_MS;
  if (replaced && differences.length > 0) {
    return "options";
  }
  if (departure.crashed === "perhaps") {
    return "crashed";
  }
  if (isEvicted(departure, facts.otherStartsAt)) {
    return "evicted";
  }
  return differences.length > 0 && facts.startedAt - departure.at < RELOAD_GAP_MS ? "options" : "unknown";
}

function isEvicted({ at, lastSeenAt }: Departure, otherStartsAt: readonly number[]): boolean {
  return otherStartsAt.some(
    (startedAt) => startedAt >= lastSeenAt - EVICTION_BEFORE_MS && startedAt <= at + EVICTION_AFTER_MS,
  );
}
