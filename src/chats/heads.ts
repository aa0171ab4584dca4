/** Which turns are kept of a conversation, so that it is known again after a restart. */
import type { KnownConversation, KnownTurn } from "./knownTurns.ts";

/** The latest turns of a conversation, as JSON keeps them. */
export interface ConversationHeads extends Omit<KnownConversation, "turns"> {
  turns: Omit<KnownTurn, "conversation">[];
}

/** So many messages back one can be edited after a restart and still be found. */
const KEPT_MESSAGES = 6;
/** A message that was answered more often than this, by tools or a script, is not looked behind of. */
const MOST_TURNS = 100;

/** The turns behind its last six messages: what a request after a restart can go on from, or edit. */
export function headsOf(conversation: KnownConversation): ConversationHeads {
  return {
    ...conversation,
    turns: latestMessages(conversation.turns).map(withoutConversation),
  };
}

/** Of each message the last turn: tools may have answered it many times. */
function latestMessages(turns: readonly KnownTurn[]): KnownTurn[] {
  const seen = new Set<string>();
  const kept: KnownTurn[] = [];
  const latest = turns.slice(-MOST_TURNS).toReversed();
  for (const turn of latest) {
    const message = turn.chain ?? turn.exchangeId;
    if (!seen.has(message)) {
      seen.add(message);
      kept.push(turn);
    }
    if (kept.length === KEPT_MESSAGES) {
      break;
    }
  }
  return kept.toReversed();
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
