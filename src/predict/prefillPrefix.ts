/**
 * Which earlier request does this one go on from? A runner still holds that one's tokens and computes only what is new.
 * Known by counts alone: a request with a few more messages and no less text. It is a stand-in for following
 * conversations; who follows them passes the earlier turn in and is believed.
 */
import type { EarlierPrompt, PromptText } from "./tokensPerByte.ts";

/** One exchange that ended: what it was, and what its runner held afterwards. */
export interface EarlierTurn extends EarlierPrompt {
  outputTokens: number;
  /** The runner dropped or cut part of the prompt, so its count says nothing about its bytes. */
  cut?: boolean;
}

export interface PrefixMatch {
  turn: EarlierTurn;
  /** The same request again, to the byte. */
  repeated: boolean;
  /** Nothing else was asked of this model since: its slot still holds this turn. */
  latest: boolean;
}

export interface PrefixMemory {
  /** The turn that it repeats, else the one that it goes on from with the fewest new messages. */
  match(prompt: PromptText): PrefixMatch | undefined;
  remember(turn: EarlierTurn): void;
  /** What the slot that was used last holds. */
  latest(): EarlierTurn | undefined;
  /** The runner was started anew: it holds nothing. */
  clear(): void;
}

const REMEMBERED = 16;
/** A turn adds an answer and a question; with tools a few messages more. */
const MOST_NEW_MESSAGES = 8;

/** Remembers sixteen turns of one model. Nothing is saved: a runner that is started anew holds none of them. */
export function createPrefixMemory(): PrefixMemory {
  /** Newest first. */
  let turns: EarlierTurn[] = [];

  const found = (turn: EarlierTurn | undefined, repeated: boolean): PrefixMatch | undefined =>
    turn === undefined ? undefined : { turn, repeated, latest: turn === turns[0] };

  return {
    match(prompt) {
      const same = turns.find((turn) => newMessages(prompt, turn) === 0 && isSameText(prompt, turn));
      const grown = turns
        .filter((turn) => isContinuation(prompt, turn))
        .toSorted((left, right) => newMessages(prompt, left) - newMessages(prompt, right))[0];
      return found(same, true) ?? found(grown, false);
    },
    remember(turn) {
      turns = [turn, ...turns].slice(0, REMEMBERED);
    },
    latest: () => turns[0],
    clear() {
      turns = [];
    },
  };
}

function newMessages(prompt: PromptText, turn: EarlierTurn): number {
  return prompt.messageCount - turn.messageCount;
}

function isSameText(prompt: PromptText, turn: EarlierTurn): boolean {
  return prompt.textBytes === turn.textBytes && prompt.imageCount === turn.imageCount;
}

function isContinuation(prompt: PromptText, turn: EarlierTurn): boolean {
  const added = newMessages(prompt, turn);
  const grows = prompt.textBytes > turn.textBytes && prompt.imageCount >= turn.imageCount;
  return added > 0 && added <= MOST_NEW_MESSAGES && grows;
}
