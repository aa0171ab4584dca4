/** Turns by what they can be found by. */
import type { KnownTurn } from "./knownTurns.ts";

export type Clue = "chain" | "pair" | "lastUser" | "answer" | "echo" | "responseId" | "context";

export const CLUES = ["chain", "pair", "lastUser", "answer", "echo", "responseId", "context"] as const;

/** With thousands of the same message only the latest can be meant. */
const MOST_OF_CLIENT = 64;

export interface ClueIndex {
  enter(turn: KnownTurn): void;
  leave(turn: KnownTurn): void;
  /** Sets one clue of a turn that has been entered. */
  change(turn: KnownTurn, clue: Clue, value: string | undefined): void;
  /** Turns of this client, the latest last. */
  find(client: string, clue: Clue, value: string | undefined): readonly KnownTurn[];
}

/** One turn or several: a list for each of tens of thousands would take more memory than the turns. */
type Found = KnownTurn | readonly KnownTurn[];

/** Bounded for each clue and client. What turns are found by are salted hashes and ids, never text. */
export function createClueIndex(): ClueIndex {
  /** Keys are the strings that the turns hold anyway; with the client's name in them they would be copies. */
  const byValue: Record<Clue, Map<string, Found>> = {
    chain: new Map(),
    pair: new Map(),
    lastUser: new Map(),
    answer: new Map(),
    echo: new Map(),
    responseId: new Map(),
    context: new Map(),
  };
  const listOf = (clue: Clue, value: string): readonly KnownTurn[] => asList(byValue[clue].get(value));

  function enterOne(turn: KnownTurn, clue: Clue): void {
    const value = turn[clue];
    if (value === undefined) {
      return;
    }
    const turns = [...listOf(clue, value), turn];
    const isOwn = isOf(turn.conversation.client);
    const tooMany = turns.length > MOST_OF_CLIENT && turns.filter(isOwn).length > MOST_OF_CLIENT;
    keep(clue, value, tooMany ? turns.toSpliced(turns.findIndex(isOwn), 1) : turns);
  }

  function leaveOne(turn: KnownTurn, clue: Clue): void {
    const value = turn[clue];
    if (value !== undefined) {
      keep(
        clue,
        value,
        listOf(clue, value).filter((other) => other !== turn),
      );
    }
  }

  function keep(clue: Clue, value: string, turns: readonly KnownTurn[]): void {
    const [first] = turns;
    if (first === undefined) {
      byValue[clue].delete(value);
    } else {
      byValue[clue].set(value, turns.length === 1 ? first : turns);
    }
  }

  return {
    enter(turn) {
      for (const clue of CLUES) {
        enterOne(turn, clue);
      }
    },
    leave(turn) {
      for (const clue of CLUES) {
        leaveOne(turn, clue);
      }
    },
    change(turn, clue, value) {
      leaveOne(turn, clue);
      turn[clue] = value;
      enterOne(turn, clue);
    },
    find(client, clue, value) {
      const turns = value === undefined ? [] : listOf(clue, value);
      const isOwn = isOf(client);
      return turns.every(isOwn) ? turns : turns.filter(isOwn);
    },
  };
}

function isOf(client: string): (turn: KnownTurn) => boolean {
  return ({ conversation }) => conversation.client === client;
}

function asList(found: Found | undefined): readonly KnownTurn[] {
  if (found === undefined) {
    return [];
  }
  return "exchangeId" in found ? [found] : found;
}
