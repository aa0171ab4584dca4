/** The turns that a new request may go on from, in bounded memory. */

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

/** What a turn can be found by. */
export type Clue = "chain" | "pair" | "lastUser" | "answer" | "echo" | "responseId" | "context";

const CLUES = ["chain", "pair", "lastUser", "answer", "echo", "responseId", "context"] as const;

/** With thousands of the same message only the latest can be meant. */
const MOST_PER_CLUE = 64;
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

const NONE: readonly KnownTurn[] = [];

/** @param limit Most turns kept; the least recently used conversations lose theirs first. */
export function createKnownTurns(limit: number): KnownTurns {
  /** The least recently used first. */
  const conversations = new Map<string, KnownConversation>();
  const byGivenId = new Map<string, KnownConversation>();
  const index = new Map<string, KnownTurn[]>();
  let count = 0;

  const keyOf = (client: string, clue: Clue, value: string): string => `${client} ${clue} ${value}`;

  function enter(turn: KnownTurn, clue: Clue): void {
    const value = turn[clue];
    if (value === undefined) {
      return;
    }
    const key = keyOf(turn.conversation.client, clue, value);
    const turns = index.get(key);
    if (turns === undefined) {
      index.set(key, [turn]);
      return;
    }
    turns.push(turn);
    if (turns.length > MOST_PER_CLUE) {
      turns.shift();
    }
  }

  function leave(turn: KnownTurn, clue: Clue): void {
    const value = turn[clue];
    const key = value === undefined ? "" : keyOf(turn.conversation.client, clue, value);
    const turns = index.get(key);
    const at = turns?.indexOf(turn) ?? -1;
    if (turns === undefined || at === -1) {
      return;
    }
    turns.splice(at, 1);
    if (turns.length === 0) {
      index.delete(key);
    }
  }

  function drop(turns: readonly KnownTurn[]): void {
    for (const turn of turns) {
      for (const clue of CLUES) {
        leave(turn, clue);
      }
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
      if (count <= goal) {
        return;
      }
      drop(turns.splice(0, turns.length - KEPT_OF_OLD));
    }
    for (const id of conversations.keys()) {
      if (count <= goal) {
        return;
      }
      remove(id);
    }
  }

  return {
    add(turn) {
      const { turns } = turn.conversation;
      turns.push(turn);
      count += 1;
      for (const clue of CLUES) {
        enter(turn, clue);
      }
      if (turns.length > MOST_PER_CONVERSATION) {
        drop(turns.splice(0, 1));
      }
      touch(turn.conversation);
      if (count > limit) {
        makeRoom();
      }
    },
    learn(turn, clue, value) {
      if (turn[clue] === value || !turn.conversation.turns.includes(turn)) {
        return;
      }
      leave(turn, clue);
      turn[clue] = value;
      enter(turn, clue);
    },
    find(client, clue, value) {
      return value === undefined ? NONE : (index.get(keyOf(client, clue, value)) ?? NONE);
    },
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
