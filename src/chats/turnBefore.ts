import type { KnownConversation, KnownTurn, KnownTurns } from "./knownTurns.ts";
import type { RequestChain } from "./requestChain.ts";

/** A shorter message, or answer, comes from anybody: "hi", "go on", "thanks". */
export const TELLING_LENGTH = 24;

const TOGETHER_MS = 15 * 60_000;

interface Question {
  client: string;
  chain: RequestChain;
  /** Only turns of this conversation: the client has named it. */
  within?: KnownConversation | undefined;
}

/** How a turn was found, the surest first. */
const SCORES = {
  answer: 100,
  answerBegins: 60,
  chain: 40,
  pair: 30,
  part: 20,
  lastUser: 10,
  system: 5,
  open: 3,
};

/**
 * The turn that a request goes on from. The answer it brings back is the surest sign; then what the user has said
 * before, all of it or, where a client leaves out its oldest messages, the last of it.
 */
export function turnBefore(known: KnownTurns, question: Question): KnownTurn | undefined {
  const { chain } = question;
  const last = chain.users.at(-1);
  if (last === undefined) {
    return undefined;
  }
  return (chain.hasTail ? sameTurn(known, question) : undefined) ?? turnBeforeMessage(known, question);
}

/** Tools have answered, or an answer is to be continued: the user has said nothing new. */
function sameTurn(known: KnownTurns, { client, chain, within }: Question): KnownTurn | undefined {
  const last = chain.users.at(-1);
  const choice = createChoice(chain, within);
  for (const turn of known.find(client, "chain", last?.chain)) {
    if (turn.messageCount < chain.messageCount) {
      // A call of a tool has no text; an answer that had some did not call this one.
      const hadText = last?.answer === undefined && turn.answer !== undefined;
      const score = SCORES.chain + turn.messageCount - (hadText ? SCORES.part : 0);
      choice.consider(turn, { answer: last?.answer, score, sure: true });
    }
  }
  return choice.best();
}

function turnBeforeMessage(known: KnownTurns, question: Question): KnownTurn | undefined {
  const { client, chain, within } = question;
  const { users } = chain;
  const before = users.at(-2);
  if (before === undefined) {
    return undefined;
  }
  const { answer } = before;
  const choice = createChoice(chain, within);
  for (const turn of known.find(client, "chain", before.chain)) {
    choice.consider(turn, { answer, score: SCORES.chain, sure: users.length > 2 });
  }
  for (const turn of known.find(client, "pair", before.pair)) {
    choice.consider(turn, { answer, score: SCORES.pair, sure: false });
  }
  if (before.answerLength >= TELLING_LENGTH) {
    for (const turn of onlyOne([
      ...known.find(client, "answer", answer),
      ...known.find(client, "echo", answer),
    ])) {
      choice.consider(turn, { answer, score: 0, sure: false });
    }
  }
  return choice.best() ?? partBefore(known, question) ?? lastMessage(known, question);
}

/** Where a message that is sent again is not the one that was sent (a client had put documents in it), or some were never seen. */
function partBefore(known: KnownTurns, { client, chain, within }: Question): KnownTurn | undefined {
  const { users } = chain;
  for (let index = users.length - 3; index >= 0; index -= 1) {
    const choice = createChoice(chain, within);
    const user = users[index];
    for (const turn of known.find(client, "chain", user?.chain)) {
      const answer = user?.answer;
      if (index > 0 || (answer !== undefined && (turn.answer === answer || turn.echo === answer))) {
        choice.consider(turn, { answer, score: SCORES.part, sure: index > 0 });
      }
    }
    const found = choice.best();
    if (found !== undefined) {
      return downFrom(found, users.length - 2 - index);
    }
  }
  return undefined;
}

function downFrom(start: KnownTurn, most: number): KnownTurn {
  let turn = start;
  for (let step = 0; step < most; step += 1) {
    const next = turn.conversation.turns.findLast((later) => later.previousId === turn.exchangeId);
    if (next === undefined) {
      break;
    }
    turn = next;
  }
  return turn;
}

/** A client that keeps the last exchange only. */
function lastMessage(known: KnownTurns, { client, chain, within }: Question): KnownTurn | undefined {
  const before = chain.users.at(-2);
  const choice = createChoice(chain, within);
  if (before !== undefined && before.length >= TELLING_LENGTH) {
    for (const turn of onlyOne(known.find(client, "lastUser", before.hash))) {
      choice.consider(turn, { answer: before.answer, score: SCORES.lastUser, sure: false });
    }
  }
  return choice.best();
}

/** Turns that could belong to several conversations tell nothing. */
function onlyOne(turns: readonly KnownTurn[]): readonly KnownTurn[] {
  return new Set(turns.map((turn) => turn.conversation)).size === 1 ? turns : [];
}

interface Candidate {
  /** What the request says the turn's answer was. */
  answer: string | undefined;
  score: number;
  /** It is followed even where the answer was edited. */
  sure: boolean;
}

function createChoice(chain: RequestChain, within: KnownConversation | undefined) {
  let best: KnownTurn | undefined;
  let bestScore = -1;
  return {
    best: () => best,
    consider(turn: KnownTurn, { answer, score: base, sure }: Candidate): void {
      if (within !== undefined && turn.conversation !== within) {
        return;
      }
      let score = base;
      if (answer !== undefined && (turn.answer === answer || turn.echo === answer)) {
        score += SCORES.answer;
      } else if (answer !== undefined && turn.echo === undefined && beginsAlike(turn.answer, answer)) {
        score += SCORES.answerBegins;
      } else if (answer !== undefined && turn.echo !== undefined) {
        // The client has sent this answer back before, and it was another one.
        if (!sure && within === undefined) {
          return;
        }
        score /= 2;
      }
      score += turn.system === chain.system ? SCORES.system : 0;
      score += turn.childCount === 0 ? SCORES.open : 0;
      if (score > bestScore || (score === bestScore && best !== undefined && isRather(turn, best))) {
        best = turn;
        bestScore = score;
      }
    },
  };
}

/** See `answerHash`. */
function beginsAlike(answer: string | undefined, other: string): boolean {
  return answer !== undefined && answer.slice(0, answer.length / 2) === other.slice(0, answer.length / 2);
}

/**
 * Of two that are alike in everything: the later one, for people leave chats. Of chats of different people at the same
 * time the one that waits longest.
 */
function isRather(turn: KnownTurn, than: KnownTurn): boolean {
  const isLater = turn.startedAt >= than.startedAt;
  const isTogether =
    turn.conversation !== than.conversation && Math.abs(turn.startedAt - than.startedAt) <= TOGETHER_MS;
  return isTogether ? !isLater : isLater;
}
