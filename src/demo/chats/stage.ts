/** What every scripted client gets: a clock, a connection, chance, and the sign to stop. */
import type { Clock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { HttpClient } from "./httpClient.ts";

export interface Stage {
  clock: Clock;
  client: HttpClient;
  random: Random;
  signal: AbortSignal;
  /** Which telling of the story this is, from 1. */
  round: number;
  /** From here on, counted from the start of the round, nothing new begins. */
  restAtMs: number;
}

/** A signal that fires after so long on the stage's clock, or with the stage's own. */
export function impatience(stage: Stage, ms: number): AbortSignal {
  const over = new AbortController();
  stage.clock.sleep(ms, stage.signal).then(
    () => over.abort(),
    () => undefined,
  );
  return AbortSignal.any([stage.signal, over.signal]);
}

/** Runs something at these moments of a round, or not at all when they have passed. */
export async function atTimes(
  stage: Stage,
  timesMs: readonly number[],
  run: (time: number) => Promise<void>,
): Promise<void> {
  const startedAt = stage.clock.monotonic();
  for (const timeMs of timesMs) {
    await stage.clock.sleep(Math.max(0, startedAt + timeMs - stage.clock.monotonic()), stage.signal);
    await run(timeMs);
  }
}
