/**
 * The conversations of late as they are shown and kept: what each exchange says of its own, and what else becomes known
 * of it. Holds counts, never text.
 */
import type { Conversation, Exchange, ExchangeObserver, Notice } from "../types.ts";
import { remember } from "./bounded.ts";

export interface ConversationBook {
  /** To be told after everyone who writes on an exchange. */
  observer: ExchangeObserver;
  /** More is known: figures replace those here, but for what counts from the beginning of the conversation. */
  changed(conversation: Conversation): void;
  /** Its first turn was taken for one of another conversation. */
  split(move: { from: string; to: string; startedAt: number }): void;
  find(id: string): Conversation | undefined;
  /** Of people, the one with the latest turn first. */
  latest(most: number): Conversation[];
  /** Takes up what was kept, the one with the latest turn first. */
  restore(conversations: readonly Conversation[]): void;
  /** All whose latest turn was earlier. */
  before(at: number): Conversation[];
  forget(id: string): void;
  forgetAll(): void;
}

export interface ConversationBookParts {
  /** Called whenever one has changed. */
  save(conversation: Conversation): void;
  limit?: number;
}

/** As many as are taken up again after a start; half a kilobyte each. */
const LIMIT = 2048;

interface Entry {
  conversation: Conversation;
  /** Of an earlier run of the program, which nobody else remembers. */
  earlierNotices: readonly Notice[];
  /** Its figures come from elsewhere. */
  isTold: boolean;
}

/** At most `limit` of them; the one unused longest gives way here, and stays on record. */
export function createConversationBook({ save, limit = LIMIT }: ConversationBookParts): ConversationBook {
  /** The one with the latest turn last. */
  const entries = new Map<string, Entry>();

  function put(entry: Entry): void {
    const { id } = entry.conversation;
    remember(entries, id, entry, limit);
    save(entry.conversation);
  }

  function began(exchange: Exchange): void {
    const { conversationId: id, startedAt, turn = 1 } = exchange;
    if (id === undefined) {
      return;
    }
    const known = entries.get(id);
    const before = known?.conversation;
    const branchCount = (before?.branchCount ?? 0) + (exchange.branchOf === undefined ? 0 : 1);
    put({
      earlierNotices: known?.earlierNotices ?? [],
      isTold: known?.isTold ?? false,
      conversation: {
        notices: [],
        ...before,
        id,
        ...definite({ model: exchange.model, client: exchange.client.name, purpose: exchange.purpose }),
        startedAt: before?.startedAt ?? startedAt,
        lastAt: startedAt,
        turnCount: Math.max(before?.turnCount ?? 0, turn),
        ...(branchCount > 0 && { branchCount }),
      },
    });
  }

  function ended(exchange: Exchange): void {
    const entry = entries.get(exchange.conversationId ?? "");
    if (entry === undefined || !("endedAt" in exchange.state)) {
      return;
    }
    const { contextLength, contextTokensUsed, notices, turn = 1 } = exchange;
    const before = entry.conversation;
    put({
      ...entry,
      conversation: {
        ...before,
        lastAt: Math.max(before.lastAt, exchange.state.endedAt),
        ...(!entry.isTold && {
          ...definite({ contextLength, contextTokensUsed }),
          notices: joinedNotices(
            before.notices,
            notices.map((notice) => ({ ...notice, atTurn: notice.atTurn ?? turn })),
          ),
        }),
      },
    });
  }

  /** What lies ahead is told anew each time: where nothing is said of it any more, there is nothing. */
  function withoutOutlook(before: Conversation | undefined): Partial<Conversation> {
    const { cliff: _cliff, turnsLeft: _turnsLeft, endsFirst: _endsFirst, ...rest } = before ?? {};
    return rest;
  }

  return {
    observer: { name: "conversations", onRequest: began, onEnd: ended },
    changed(told) {
      const known = entries.get(told.id);
      const before = known?.conversation;
      const branchCount = Math.max(before?.branchCount ?? 0, told.branchCount ?? 0);
      const earlierNotices = known?.earlierNotices ?? [];
      put({
        earlierNotices,
        isTold: true,
        conversation: {
          ...withoutOutlook(before),
          ...told,
          startedAt: Math.min(before?.startedAt ?? Infinity, told.startedAt),
          lastAt: Math.max(before?.lastAt ?? 0, told.lastAt),
          turnCount: Math.max(before?.turnCount ?? 0, told.turnCount),
          ...(branchCount > 0 && { branchCount }),
          notices: joinedNotices(earlierNotices, told.notices),
        },
      });
    },
    split({ from, to, startedAt }) {
      const { model, client, purpose } = entries.get(from)?.conversation ?? {};
      const conversation: Conversation = {
        id: to,
        ...definite({ model, client, purpose }),
        startedAt,
        lastAt: startedAt,
        turnCount: 1,
        notices: [],
      };
      put({ conversation, earlierNotices: [], isTold: false });
    },
    find: (id) => entries.get(id)?.conversation,
    latest(most) {
      const all = [...entries.values()].map(({ conversation }) => conversation);
      return all.filter(isOfPeople).slice(-most).toReversed();
    },
    before: (at) =>
      [...entries.values()].map(({ conversation }) => conversation).filter(({ lastAt }) => lastAt < at),
    restore(conversations) {
      for (const conversation of conversations.toReversed()) {
        // What was ahead then is judged anew.
        const earlierNotices = conversation.notices.filter(({ kind }) => kind !== "cliff-ahead");
        entries.set(conversation.id, { conversation, earlierNotices, isTold: false });
      }
    },
    forget: (id) => void entries.delete(id),
    forgetAll: () => entries.clear(),
  };
}

/** Begun by a person, not by a program on its own account. */
export function isOfPeople({ purpose = "chat" }: Conversation): boolean {
  return purpose === "chat" || purpose === "single";
}

/** One of each kind: the later ones, and of the earlier what they do not speak of. */
function joinedNotices(earlier: readonly Notice[], later: readonly Notice[]): Notice[] {
  const kinds = new Set(later.map(({ kind }) => kind));
  const latest = later.filter(
    ({ kind }, index) => !later.slice(index + 1).some((other) => other.kind === kind),
  );
  return [...earlier.filter(({ kind }) => !kinds.has(kind)), ...latest];
}

function definite<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [Key in keyof Fields]?: NonNullable<Fields[Key]> };
}
