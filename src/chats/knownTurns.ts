/** The turns that a new request may go on from, in bounded memory. */
import { CLUES, createClueIndex, type Clue } from "./clueIndex.ts";

export interface KnownConversation {
  id: string;
  /** Who asks; strangers never share a conversation unless they give its id. */
  client: string;
  givenId?: string;
  lastAt: number;
  /** In order of arrival. */
  turns: KnownTurn[];
}

/** One exchange as the next one may refer to it. All but ids, counts and times are salted hashes. */
export interface KnownTurn {
  exchangeId: string;
  conversation: KnownConversation;
  turn: number;
  startedAt: number;
  endedAt?: number;
  state: "open" | "completed" | "cancelled" | "failed";
  /** The exchange that it goes on from. */
  previousId?: string;
  childCount: number;
  chain?: string;
  pair?: string;
  lastUser?: string;
  media?: string;
  messageCount: number;
  system?: string;
  systemLength: number;
  /** Its answer as it passed, and as the client sent it back first. */
  answer?: string;
  echo?: string;
  responseId?: string;
  context?: string;
}

const MOST_PER_CONVERSATION = 256;
/** What is kept of conversations that have not been used for long, before they go altogether. */
const KEPT_OF_OLD = 2;

export interface KnownTurns {
  add(turn: KnownTurn): void;
  /** Sets one clue of a turn that has been added. */
  learn(turn: KnownTurn, clue: Clue, value: string | undefined): void;
  /** The latest last. */
  find(client: string, clue: Clue, value: string | undefined): readonly KnownTurn[];
  conversation(id: string): KnownConversation | undefined;
  given(givenId: string): KnownConversation | undefined;
  /** It turns out to belong to another conversation, which need not be known yet. */
  move(turn: KnownTurn, to: KnownConversation): void;
  remove(conversationId: string): void;
  size(): number;
}

/** @param limit Most turns and conversations kept; the least recently used conversations lose theirs first. */
export function createKnownTurns(limit: number): KnownTurns {
  /** The least recently used first. */
  const conversations = new Map<string, KnownConversation>();
  const byGivenId = new Map<string, KnownConversation>();
  const index = createClueIndex();
  let count = 0;
  const held = (): number => count + conversations.size;

  function drop(turns: readonly KnownTurn[]): void {
    for (const turn of turns) {
      index.leave(turn);
    }
    count -= turns.length;
  }

  function touch(conversation: KnownConversation): void {
    conversations.delete(conversation.id);
    conversations.set(conversation.id, conversation);
    if (conversation.givenId !== undefined) {
      byGivenId.set(conversation.givenId, conversation);
    }
  }

  function remove(id: string): void {
    const conversation = conversations.get(id);
    if (conversation === undefined) {
      return;
    }
    drop(conversation.turns);
    conversations.delete(id);
    if (conversation.givenId !== undefined && byGivenId.get(conversation.givenId) === conversation) {
      byGivenId.delete(conversation.givenId);
    }
  }

  function makeRoom(): void {
    const goal = Math.floor(limit * 0.9);
    for (const { turns } of conversations.values()) {
      if (held() <= goal) {
        return;
      }
      drop(turns.splice(0, turns.length - KEPT_OF_OLD));
    }
    for (const id of conversations.keys()) {
      if (held() <= goal) {
        return;
      }
      remove(id);
    }
  }

  return {
    add(turn) {
      const { conversation } = turn;
      if (conversation.turns.length === 0) {
        // Most stay at one turn, and a list that is pushed to has room for seventeen.
        conversation.turns = [turn];
      } else {
        conversation.turns.push(turn);
      }
      count += 1;
      for (const name of [...CLUES, "system", "media"] as const) {
        turn[name] = ownText(turn[name]);
      }
      index.enter(turn);
      if (conversation.turns.length > MOST_PER_CONVERSATION) {
        drop(conversation.turns.splice(0, 1));
      }
      touch(conversation);
      if (held() > limit) {
        makeRoom();
      }
    },
    learn(turn, clue, value) {
      if (turn[clue] === value || !turn.conversation.turns.includes(turn)) {
        return;
      }
      index.change(turn, clue, ownText(value));
    },
    find: index.find,
    move(turn, to) {
      const { turns } = turn.conversation;
      const at = turns.indexOf(turn);
      if (at !== -1) {
        turns.splice(at, 1);
        to.turns.push(turn);
        turn.conversation = to;
        touch(to);
      }
    },
    conversation: (id) => conversations.get(id),
    given: (givenId) => byGivenId.get(givenId),
    remove,
    size: () => count,
  };
}

/** A hash is cut from a longer one, all of which stays in memory for as long as the part does; a copy is by itself. */
function ownText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString();
}
