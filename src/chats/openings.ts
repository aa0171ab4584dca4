const MOST_OPENINGS = 4096;

/** Which first messages begin more than one chat: the sentences that a page offers, the questions of a script. */
export interface Openings {
  began(opening: string, conversationId: string): void;
  isCommon(opening: string): boolean;
}

export function createOpenings(): Openings {
  /** The conversation that began so; nothing, once there was another. */
  const first = new Map<string, string | undefined>();
  return {
    began(opening, conversationId) {
      const isOther = first.has(opening) && first.get(opening) !== conversationId;
      first.delete(opening);
      first.set(opening, isOther ? undefined : conversationId);
      for (const oldest of first.keys()) {
        if (first.size <= MOST_OPENINGS) {
          break;
        }
        first.delete(oldest);
      }
    },
    isCommon: (opening) => first.has(opening) && first.get(opening) === undefined,
  };
}
