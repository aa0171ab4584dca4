import type { Conversation, Exchange } from "../types.ts";

/** A conversation as it is on record, with what has become known since. */
export function withLiveTurns(
  kept: Conversation | undefined,
  { known, live }: { known: Conversation | undefined; live: readonly Exchange[] },
): Conversation | undefined {
  const figures = known ?? kept;
  if (figures === undefined) {
    return undefined;
  }
  const ids = new Set(live.map(({ id }) => id));
  const ended = (kept?.turns ?? []).filter(({ id }) => !ids.has(id));
  return { ...figures, turns: [...ended, ...live] };
}
