/** A runner that is there, and one that was: what has to be remembered to tell why the next one starts. */
import type { Load, RunnerProcess, RunnerSample } from "../types.ts";
import type { Departure } from "./loadCause.ts";
import type { SteadyWatch } from "./steady.ts";

export interface LoadEntry {
  load: Load;
  /** The one of the same model before it, if that had become ready. */
  earlier?: EndedEntry;
  /** Absent where runners cannot be seen: what Ollama lists, and how long requests wait, has to do. */
  process?: RunnerProcess;
  /** The environment is read a moment after the process was first seen, and not at all for another user's. */
  environmentKnown: boolean;
  steady: SteadyWatch;
  latest?: RunnerSample;
  /** Since the runner started, until the load is measured. */
  readings: (RunnerSample & { takenAt: number })[];
  /** The runner was started between these. */
  window: { from: number; to: number };
  /** What the request that forced it asked for, once one is found. */
  options?: Readonly<Record<string, number | boolean>>;
  askedAt?: number;
  dialect?: string;
  /** Its context is what was asked for; Ollama may have given another. */
  contextAssumed: boolean;
  foundRunning: boolean;
  /** As Ollama lists it, and when it did; `keptForever` is no time. */
  listed?: { at: number; expiresAt?: number };
  /** Given by a request: it stays with the runner. Milliseconds, negative for ever. */
  keepAliveMs?: number;
  /** Its last answer ended. */
  usedAt?: number;
  unloadAsked: boolean;
  crash?: { at: number; sign: "died" | "perhaps" };
  serverGone: boolean;
  /** Cells in use after its latest answers, by conversation. */
  usedTokens: Map<string, number>;
}

export interface EndedEntry extends LoadEntry {
  departure: Departure;
  /** Cached prompts and state that went with it, as far as that is known. */
  heldBytes?: number;
}

export function noteListed(entry: LoadEntry, { expiresAt }: { expiresAt?: number }, at: number): void {
  entry.listed = { at, ...(expiresAt !== undefined && { expiresAt }) };
}

/** Of a runner whose model nobody has named yet. */
export function unlistedName(blobDigest: string | undefined): string {
  return blobDigest === undefined ? "unknown" : `sha256:${blobDigest.slice(0, 12)}`;
}

/** When Ollama will unload it for want of requests; undefined when it stays, or when nobody has said. */
export function expiryOf({ keepAliveMs, usedAt, listed }: LoadEntry): number | undefined {
  if (keepAliveMs !== undefined && usedAt !== undefined) {
    return keepAliveMs < 0 ? undefined : usedAt + keepAliveMs;
  }
  if (listed?.expiresAt === undefined) {
    return undefined;
  }
  // Each answer puts it off again, by as much as has passed since the list was made.
  return listed.expiresAt + Math.max(0, (usedAt ?? 0) - listed.at);
}

/**
 * What is thrown away with a runner: prompts it kept, which are what it has grown by since the load without the compute
 * buffers that the first long prompt touches, and the state of the chats in its slots.
 */
export function heldBytesOf({ load, latest, usedTokens }: LoadEntry): number | undefined {
  const { predicted, measured } = load;
  const tokens = [...usedTokens.values()].slice(-(load.parallel ?? 1)).reduce((sum, used) => sum + used, 0);
  const stateBytes =
    predicted === undefined
      ? undefined
      : tokens * predicted.kvBytesPerToken +
        (tokens > 0
          ? predicted.recurrentStateBytes.hostBytes + predicted.recurrentStateBytes.deviceBytes
          : 0);
  const grownBytes =
    measured === undefined || latest === undefined
      ? undefined
      : Math.max(0, anonymous(latest) - anonymous(measured) - (predicted?.computeBytes.hostBytes ?? 0));
  return stateBytes === undefined && grownBytes === undefined
    ? undefined
    : Math.round((stateBytes ?? 0) + (grownBytes ?? 0));
}

function anonymous(sample: RunnerSample): number {
  return sample.anonymousBytes + sample.swappedBytes;
}
