/**
 * Which conversation an exchange belongs to, and which of its turns it is. Pure: time comes in with the exchanges, and
 * nothing readable is kept.
 */
import { hash } from "node:crypto";
import type { AnswerFacts, ConversationClues, Exchange, Purpose, RequestFacts } from "../types.ts";
import { createBursts } from "./bursts.ts";
import { headsOf, turnsOfHeads, type ConversationHeads } from "./heads.ts";
import { createKnownTurns, type KnownConversation, type KnownTurn } from "./knownTurns.ts";
import { requestChain, type RequestChain } from "./requestChain.ts";
import { createOpenings } from "./openings.ts";
import type { Place } from "./place.ts";
import { isRepeated } from "./repeatedFirst.ts";
import { turnBefore } from "./turnBefore.ts";

export interface Identify {
  /** To be called once a request has been read. Undefined: it belongs to no conversation. */
  begin(exchange: Exchange, facts: RequestFacts): Place | undefined;
  /** To be called once an exchange has ended. */
  end(exchange: Exchange, answer?: AnswerFacts): void;
  /** What has to be kept so that a restart does not split the conversation. */
  heads(conversationId: string): ConversationHeads | undefined;
  /** Takes up what was kept, the least recently used first. */
  restore(heads: readonly ConversationHeads[]): void;
  forget(conversationId: string): void;
  forgetAll(): void;
}

/** A turn that turned out to be the first of a conversation of its own. */
export interface MovedTurn {
  exchangeId: string;
  from: string;
  to: string;
  startedAt: number;
}

export interface IdentifyOptions {
  newId: () => string;
  /** An earlier exchange turns out to belong to another conversation. */
  moved?: ((move: MovedTurn) => void) | undefined;
  /** Most turns and conversations that are remembered, 32,768 unless told: some 0.35 KB each, 12 MB in all. */
  turnLimit?: number;
}

const TURN_LIMIT = 32_768;
/** Conversations that people have. All others are asked by programs, and kept apart. */
const OF_PEOPLE = new Set<Purpose>(["chat", "single"]);

/** Begins empty; `restore` takes up what `heads` gave before a restart. */
export function createIdentify({ newId, moved, turnLimit = TURN_LIMIT }: IdentifyOptions): Identify {
  let known = createKnownTurns(turnLimit);
  const bursts = createBursts(newId);
  const openings = createOpenings();
  const open = new Map<string, KnownTurn>();

  function newConversation(client: string, at: number, givenId?: string): KnownConversation {
    return { id: newId(), client, lastAt: at, turns: [], ...(givenId !== undefined && { givenId }) };
  }

  function place(exchange: Exchange, clues: ConversationClues): Found {
    const client = clientKey(exchange, clues);
    const given = clues.givenId === undefined ? undefined : known.given(clues.givenId);
    const chain = clues.messages === undefined ? undefined : requestChain(clues.messages);
    const scope = given?.client ?? client;
    const before =
      referredTo(scope, clues) ??
      (chain === undefined ? undefined : turnBefore(known, { client: scope, chain, within: given }));
    if (before !== undefined && (clues.givenId === undefined || before.conversation === given)) {
      if (given === undefined && isOfAnotherChat(before)) {
        return { conversation: moveOut(before), before, chain, isNew: true };
      }
      if (given === undefined) {
        for (const other of takenForRepeated(before)) {
          moveOut(other);
        }
      }
      return { conversation: before.conversation, before, chain, beside: besideOf(scope, chain, before) };
    }
    if (given !== undefined) {
      const beside = besideOf(scope, chain, undefined);
      const own = beside?.conversation === given ? beside : undefined;
      return {
        conversation: given,
        chain,
        beside: own,
        before: own === undefined ? given.turns.at(-1) : undefined,
      };
    }
    if (clues.givenId !== undefined) {
      return { conversation: newConversation(client, exchange.startedAt, clues.givenId), chain };
    }
    const repeated = chain === undefined ? undefined : besideOf(client, chain, undefined);
    if (repeated !== undefined && chain !== undefined && isAgain(exchange, chain, repeated)) {
      return { conversation: repeated.conversation, chain, beside: repeated };
    }
    return { conversation: newConversation(client, exchange.startedAt), chain };
  }

  function isAgain(exchange: Exchange, chain: RequestChain, earlier: KnownTurn): boolean {
    return isRepeated(exchange, { chain, earlier, isCommon: openings.isCommon(earlier.chain ?? "") });
  }

  function moveOut(turn: KnownTurn): KnownConversation {
    const { exchangeId, startedAt, conversation: from } = turn;
    const conversation = newConversation(from.client, startedAt);
    known.move(turn, conversation);
    noteOpening(turn);
    moved?.({ exchangeId, from: from.id, to: conversation.id, startedAt });
    return conversation;
  }

  function noteOpening(turn: KnownTurn): void {
    if (turn.previousId === undefined && turn.chain !== undefined) {
      openings.began(turn.chain, turn.conversation.id);
    }
  }

  /** The client itself says which answer it goes on from. */
  function referredTo(client: string, clues: ConversationClues): KnownTurn | undefined {
    return (
      known.find(client, "responseId", clues.previousResponseId).at(-1) ??
      known.find(client, "context", clues.context).at(-1)
    );
  }

  /** The turn with the same messages that this one takes the place of. */
  function besideOf(
    client: string,
    chain: RequestChain | undefined,
    before: KnownTurn | undefined,
  ): KnownTurn | undefined {
    return known
      .find(client, "chain", chain?.users.at(-1)?.chain)
      .findLast(
        (turn) =>
          turn.messageCount === chain?.messageCount &&
          (before === undefined
            ? turn.previousId === undefined
            : turn.previousId === before.exchangeId && turn.conversation === before.conversation),
      );
  }

  function remember(exchange: Exchange, { conversation, before, beside, chain }: Found) {
    const lastUser = chain?.users.at(-1);
    const previousId = before?.exchangeId;
    const turn: KnownTurn = {
      exchangeId: exchange.id,
      conversation,
      turn: beside?.turn ?? (before?.turn ?? 0) + 1,
      startedAt: exchange.startedAt,
      state: "open",
      childCount: 0,
      messageCount: chain?.messageCount ?? 0,
      chain: lastUser?.chain,
      pair: lastUser?.pair,
      lastUser: lastUser?.hash,
      media: lastUser?.media,
      system: chain?.system,
      systemLength: chain?.systemLength ?? 0,
      previousId,
    };
    const isBranch = beside !== undefined ? beside.state !== "failed" : (before?.childCount ?? 0) > 0;
    if (before !== undefined) {
      before.childCount += 1;
      const sentBack = chain?.users.at(before.chain === lastUser?.chain ? -1 : -2)?.answer;
      known.learn(before, "echo", before.echo ?? sentBack);
    }
    conversation.lastAt = exchange.startedAt;
    known.add(turn);
    noteOpening(turn);
    open.set(exchange.id, turn);
    return { turn: turn.turn, previousId, isBranch };
  }

  return {
    begin(exchange, facts) {
      const { conversation: clues } = facts;
      if (clues === undefined || (exchange.operation !== "chat" && exchange.operation !== "generate")) {
        return undefined;
      }
      const purpose = purposeOf(exchange, clues);
      if (!OF_PEOPLE.has(purpose)) {
        return bursts.begin({ client: clientKey(exchange, clues), exchange, purpose });
      }
      const placed = place(exchange, clues);
      const isNew = placed.isNew ?? placed.conversation.turns.length === 0;
      const { turn, previousId, isBranch } = remember(exchange, placed);
      return {
        conversationId: placed.conversation.id,
        turn,
        purpose,
        isBranch,
        isNew,
        ...(previousId !== undefined && { previousId }),
        ...(previousId !== undefined && isBranch && { branchOf: previousId }),
      };
    },
    end(exchange, answer) {
      const turn = open.get(exchange.id);
      open.delete(exchange.id);
      if (turn === undefined) {
        return;
      }
      const { state } = exchange;
      turn.state = state.phase === "completed" || state.phase === "failed" ? state.phase : "cancelled";
      if (turn.state === "failed") {
        // Whoever tries again after an error makes no branch.
        const before = turn.conversation.turns.find(({ exchangeId }) => exchangeId === turn.previousId);
        if (before !== undefined) {
          before.childCount -= 1;
        }
      }
      turn.endedAt = "endedAt" in state ? state.endedAt : exchange.startedAt;
      const { text, context, responseId } = answer?.conversation ?? {};
      known.learn(turn, "answer", text);
      known.learn(turn, "context", context);
      known.learn(turn, "responseId", responseId);
    },
    heads(conversationId) {
      const conversation = known.conversation(conversationId);
      return conversation === undefined ? undefined : headsOf(conversation);
    },
    restore(all) {
      for (const heads of all) {
        for (const turn of turnsOfHeads(heads)) {
          known.add(turn);
          noteOpening(turn);
        }
      }
    },
    forget: (conversationId) => known.remove(conversationId),
    forgetAll() {
      known = createKnownTurns(turnLimit);
    },
  };
}

/**
 * Of two equal first messages that were taken for one and its repetition, both are gone on with: they were two chats
 * that began alike.
 */
function isOfAnotherChat(before: KnownTurn): boolean {
  return (
    before.previousId === undefined &&
    !isGoneOnWith(before) &&
    before.conversation.turns.some(
      (turn) =>
        turn !== before && turn.previousId === undefined && isGoneOnWith(turn) && turn.chain === before.chain,
    )
  );
}

/**
 * Whoever wants an answer anew goes on from the new one: first messages that came after this one, which is gone on with
 * now, were other chats.
 */
function takenForRepeated(before: KnownTurn): KnownTurn[] {
  return before.previousId !== undefined || isGoneOnWith(before)
    ? []
    : before.conversation.turns.filter(
        (turn) =>
          turn.previousId === undefined &&
          !isGoneOnWith(turn) &&
          turn.chain === before.chain &&
          turn.startedAt > before.startedAt,
      );
}

/** Also where that failed: the chat is the same. */
function isGoneOnWith({ exchangeId, conversation }: KnownTurn): boolean {
  return conversation.turns.some(({ previousId }) => previousId === exchangeId);
}

interface Found {
  conversation: KnownConversation;
  before?: KnownTurn | undefined;
  beside?: KnownTurn | undefined;
  chain?: RequestChain | undefined;
  isNew?: boolean;
}

/** Completions that an editor asks for, however plain they look: what people ask there they ask in a chat. */
const EDITORS =
  /\b(?:continue|twinny|zed|cursor|vscode|code-oss|jetbrains|intellij|neovim|nvim|tabby|cody|llm-ls)\b/i;

function purposeOf({ client }: Exchange, { purpose = "chat" }: ConversationClues): Purpose {
  return purpose === "single" && EDITORS.test(client.userAgent ?? "") ? "autocomplete" : purpose;
}

/** Who asks: the same program at the same address for the same user. Keys of an API are no part of it. */
function clientKey({ client }: Exchange, { userId = "" }: ConversationClues): string {
  const text = JSON.stringify([client.userAgent, client.address, userId]);
  return hash("sha256", text, "base64url").slice(0, 12);
}
