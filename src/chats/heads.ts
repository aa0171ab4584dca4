import type { KnownConversation, KnownTurn } from "./knownTurns.ts";

/** The latest turns of a conversation, as JSON keeps them. */
export interface ConversationHeads extends Omit<KnownConversation, "turns"> {
  turns: Omit<KnownTurn, "conversation">[];
}

/** So many turns back a message can be edited after a restart and still be found. */
const KEPT_TURNS = 6;

export function headsOf(conversation: KnownConversation): ConversationHeads {
  return {
    ...conversation,
    turns: conversation.turns.slice(-KEPT_TURNS).map(withoutConversation),
  };
}

/** Answers of an earlier process that had not ended never will. */
export function turnsOfHeads({ turns, ...conversation }: ConversationHeads): KnownTurn[] {
  const restored: KnownConversation = { ...conversation, turns: [] };
  return turns.map((turn) => ({
    ...turn,
    conversation: restored,
    state: turn.state === "open" ? "failed" : turn.state,
  }));
}

function withoutConversation(turn: KnownTurn): ConversationHeads["turns"][number] {
  const { conversation: _conversation, ...rest } = turn;
  return rest;
}
