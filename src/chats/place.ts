import type { Purpose } from "../types.ts";

/** Where an exchange belongs. */
export interface Place {
  conversationId: string;
  /** 1 for the first that was seen of it; one more than that of the exchange it goes on from. */
  turn: number;
  purpose: Purpose;
  /** The exchange that it goes on from. */
  previousId?: string;
  /** The same, where another exchange had gone on from there already: this one was edited or regenerated. */
  branchOf?: string;
  /** Edited or regenerated; also where it is a first turn and so a branch of none. */
  isBranch: boolean;
  /** It begins the conversation. */
  isNew: boolean;
}
