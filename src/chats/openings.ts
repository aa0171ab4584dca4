import { remember } from "./bounded.ts";

const MOST_OPENINGS = 4096;

/** Which first messages begin more than one chat: the sentences that a page offers, the questions of a script. */
export interface Openings {
  began(opening: string, conversationId: string): void;
  isCommon(opening: string): boolean;
}

/** A first message that two chats share says nothing of which one a request goes on from. */
export function createOpenings(): Openings {
  /** The conversation that began so; nothing, once there was another. */
  const first = new Map<string, string | undefined>();
  return {
    began(opening, conversationId) {
      const isOther = first.has(opening) && first.get(opening) !== conversationId;
      remember(first, opening, isOther ? undefined : conversationId, MOST_OPENINGS);
    },
    isCommon: (opening) => first.has(opening) && first.get(opening) === undefined,
  };
}
