import type {
  Conversation,
  Episode,
  Exchange,
  Forecast,
  Health,
  Load,
  LoadedModel,
  Machine,
  MemorySample,
  ServerMessage,
  Stage,
  Verdict,
} from "../src/types.ts";
import { stageOf } from "./stages.ts";
import { newestLoads, withLoad } from "./stateLoads.ts";
import { tidyConversation, tidyEpisode, tidyExchange, tidyLoad, tidySample, tidySnapshot } from "./tidy.ts";

/** An exchange in progress and when its last token was seen, by the server's clock. */
export interface LiveExchange {
  exchange: Exchange;
  seenAt: number;
  /** When each of its phases was first seen, in their order. */
  phases: { stage: Stage; at: number }[];
}

/** All the page knows. Absent parts have not arrived yet. */
export interface PageState {
  version?: string;
  simulated: boolean;
  machine?: Machine;
  verdict?: Verdict;
  health?: Health;
  sample?: MemorySample;
  forecast?: Forecast;
  models: LoadedModel[];
  /** Newest first, those that ended too. */
  loads: Load[];
  /** Oldest first, so that a row keeps its place while others come and go. */
  live: LiveExchange[];
  /** Newest first, at most `endedKept`. */
  ended: Exchange[];
  /** The latest first. */
  conversations: Conversation[];
  /** The newest first, open ones and those that ended while the page looked on. */
  episodes: Episode[];
  /** Add this to the browser's clock to get the server's. */
  clockOffsetMs: number;
}

export const endedKept = 200;
const conversationsKept = 40;
const episodesKept = 20;

export const emptyState: PageState = {
  simulated: false,
  models: [],
  loads: [],
  live: [],
  ended: [],
  conversations: [],
  episodes: [],
  clockOffsetMs: 0,
};

/** The next state after one message. `receivedAt` is the browser's clock. Pure. */
export function apply(state: PageState, message: ServerMessage, receivedAt: number): PageState {
  switch (message.type) {
    case "snapshot":
      return applySnapshot(state, message.snapshot, receivedAt);
    case "exchange":
      return applyExchange(state, tidyExchange(message.exchange), receivedAt + state.clockOffsetMs);
    case "sample":
      return applySample(state, message, receivedAt);
    case "load": {
      const load = tidyLoad(message.load);
      if (load === undefined) return state;
      return { ...state, models: withLoad(state.models, load), loads: newestLoads(state.loads, [load]) };
    }
    case "conversation":
      return { ...state, conversations: withConversation(state, tidyConversation(message.conversation)) };
    case "alert":
      return { ...state, episodes: withEpisodes(state.episodes, [tidyEpisode(message.alert)]) };
    case "removed":
      return applyRemoved(state, message.kind, message.id);
    default:
      // A newer server may say more than this page knows.
      message satisfies never;
      return state;
  }
}

/** Adds exchanges that were read from the record to those that arrived by themselves. */
export function addEnded(state: PageState, exchanges: readonly Exchange[]): PageState {
  const known = new Set(state.ended.map((exchange) => exchange.id));
  const added = exchanges.filter((exchange) => hasEnded(exchange) && !known.has(exchange.id));
  const live = state.live.filter(({ exchange }) => !added.some((other) => other.id === exchange.id));
  return { ...state, live, ended: newestFirst([...state.ended, ...added]) };
}

function hasEnded(exchange: Exchange): boolean {
  return "endedAt" in exchange.state;
}

function applySnapshot(
  state: PageState,
  given: Extract<ServerMessage, { type: "snapshot" }>["snapshot"],
  receivedAt: number,
): PageState {
  const snapshot = tidySnapshot(given, receivedAt);
  const { version, machine, verdict, health, models, sample, forecast, conversations = [] } = snapshot;
  const live = snapshot.exchanges
    .filter((exchange) => !hasEnded(exchange) && !knownToHaveEnded(state, exchange))
    .map((exchange) => toLive(state, exchange, snapshot.takenAt));
  const open = new Set(snapshot.episodes.map((episode) => episode.id));
  const closed = state.episodes.filter((episode) => episode.endedAt !== undefined && !open.has(episode.id));
  const next: PageState = {
    ...state,
    version,
    machine,
    verdict,
    health,
    models,
    live: live.toSorted(byStart),
    simulated: snapshot.simulated ?? false,
    // A snapshot without a sample means that memory is not visible now: an old figure must not stay.
    sample,
    forecast,
    // An episode that the snapshot does not name is over, whatever was missed of its end.
    episodes: withEpisodes(closed, snapshot.episodes),
    conversations: conversations.reduceRight(
      (kept, conversation) => withConversation({ ...state, conversations: kept }, conversation),
      state.conversations,
    ),
    clockOffsetMs: snapshot.takenAt - receivedAt,
  };
  return addEnded(next, snapshot.exchanges);
}

/** A sample is news of the server's clock too; it can only have been late, so it never sets the clock back. */
function applySample(
  state: PageState,
  message: Extract<ServerMessage, { type: "sample" }>,
  receivedAt: number,
): PageState {
  const sample = tidySample(message.sample);
  const clockOffsetMs = Math.max(state.clockOffsetMs, sample.takenAt - receivedAt);
  return { ...state, sample, forecast: message.forecast, clockOffsetMs };
}

function applyExchange(state: PageState, exchange: Exchange | undefined, at: number): PageState {
  if (exchange === undefined) return state;
  const others = state.live.filter((live) => live.exchange.id !== exchange.id);
  if (!hasEnded(exchange)) {
    if (knownToHaveEnded(state, exchange)) return state;
    return { ...state, live: [...others, toLive(state, exchange, at)].toSorted(byStart) };
  }
  const ended = state.ended.filter((other) => other.id !== exchange.id);
  return { ...state, live: others, ended: newestFirst([exchange, ...ended]) };
}

/** What was overtaken by the end must not bring the exchange back to life. */
function knownToHaveEnded(state: PageState, exchange: Exchange): boolean {
  return state.ended.some((ended) => ended.id === exchange.id);
}

function toLive(state: PageState, exchange: Exchange, at: number): LiveExchange {
  const before = state.live.find((live) => live.exchange.id === exchange.id);
  const unchanged = before && before.exchange.contentChunkCount === exchange.contentChunkCount;
  return { exchange, seenAt: unchanged ? before.seenAt : at, phases: phasesOf(before, exchange, at) };
}

function phasesOf(before: LiveExchange | undefined, exchange: Exchange, at: number): LiveExchange["phases"] {
  const phases = before?.phases ?? [];
  const stage = stageOf(exchange);
  if (stage === undefined || phases.at(-1)?.stage === stage) return phases;
  // The first phase began with the request, the last with the first token: both are known better than when news of them came.
  const since =
    exchange.state.phase === "streaming"
      ? exchange.state.firstTokenAt
      : phases.length === 0
        ? exchange.startedAt
        : at;
  return [...phases, { stage, at: since }];
}

function applyRemoved(
  state: PageState,
  kind: Extract<ServerMessage, { type: "removed" }>["kind"],
  id: string,
): PageState {
  const others = <T extends { id: string }>(entries: T[]): T[] => entries.filter((entry) => entry.id !== id);
  switch (kind) {
    case "load":
      return {
        ...state,
        loads: others(state.loads),
        models: state.models.filter((model) => model.loadId !== id),
      };
    case "conversation":
      return { ...state, conversations: others(state.conversations) };
    case "alert":
      return { ...state, episodes: others(state.episodes) };
    case "exchange":
      return {
        ...state,
        live: state.live.filter(({ exchange }) => exchange.id !== id),
        ended: others(state.ended),
      };
    default:
      kind satisfies never;
      return state;
  }
}

/** Turns that a message leaves out are kept from the one before. */
function withConversation(state: PageState, conversation: Conversation | undefined): Conversation[] {
  if (conversation === undefined) return state.conversations;
  const before = state.conversations.find((other) => other.id === conversation.id);
  const turns = conversation.turns ?? before?.turns;
  return [
    turns ? { ...conversation, turns } : conversation,
    ...state.conversations.filter((other) => other !== before),
  ]
    .toSorted((a, b) => b.lastAt - a.lastAt)
    .slice(0, conversationsKept);
}

export function withEpisodes(
  episodes: readonly Episode[],
  changed: readonly (Episode | undefined)[],
): Episode[] {
  const added = changed.filter((episode) => episode !== undefined);
  const ids = new Set(added.map((episode) => episode.id));
  return [...added, ...episodes.filter((episode) => !ids.has(episode.id))]
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .slice(0, episodesKept);
}

function newestFirst(exchanges: readonly Exchange[]): Exchange[] {
  return exchanges
    .filter((exchange) => exchange.operation !== "other")
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .slice(0, endedKept);
}

function byStart(a: LiveExchange, b: LiveExchange): number {
  return a.exchange.startedAt - b.exchange.startedAt;
}
