/** What `plimsoll top` knows: messages of the live connection in, one state out. Pure. */
import type {
  Conversation,
  Episode,
  Exchange,
  Forecast,
  Health,
  LoadedModel,
  MemorySample,
  ServerMessage,
  Verdict,
} from "../../types.ts";

export interface TopState {
  version?: string;
  simulated?: boolean;
  verdict?: Verdict;
  health?: Health;
  sample?: MemorySample;
  forecast?: Forecast;
  models: LoadedModel[];
  /** Oldest first. */
  live: Exchange[];
  /** Newest first. */
  ended: Exchange[];
  conversations: Conversation[];
  episodes: Episode[];
  /** Bytes used, one a sample, oldest first; absent in a gap. */
  used: (number | undefined)[];
  /** The server's clock less ours. */
  clockOffsetMs: number;
  lostAt?: number;
}

export const emptyTop: TopState = {
  models: [],
  live: [],
  ended: [],
  conversations: [],
  episodes: [],
  used: [],
  clockOffsetMs: 0,
};

const ENDED_KEPT = 100;
const CHATS_KEPT = 40;
const USED_KEPT = 600;
const GAP_MS = 5000;

/** The next state. `receivedAt` is our clock. What this version does not know changes nothing. */
export function applyToTop(state: TopState, message: ServerMessage, receivedAt: number): TopState {
  switch (message.type) {
    case "snapshot": {
      const { snapshot } = message;
      const next = {
        ...state,
        version: snapshot.version,
        simulated: snapshot.simulated,
        verdict: snapshot.verdict,
        health: snapshot.health,
        forecast: snapshot.forecast,
        models: snapshot.models ?? [],
        live: [],
        conversations: newest(snapshot.conversations ?? [], state.conversations),
        episodes: snapshot.episodes ?? [],
        clockOffsetMs: snapshot.takenAt - receivedAt,
        lostAt: undefined,
      };
      return (snapshot.exchanges ?? []).reduce(withExchange, withSample(next, snapshot.sample));
    }
    case "sample":
      return { ...withSample(state, message.sample), forecast: message.forecast };
    case "exchange":
      return withExchange(state, message.exchange);
    case "conversation":
      return { ...state, conversations: newest([message.conversation], state.conversations) };
    case "alert":
      return {
        ...state,
        episodes: [message.alert, ...state.episodes.filter(({ id }) => id !== message.alert.id)],
      };
    case "removed":
      return {
        ...state,
        live: state.live.filter(({ id }) => id !== message.id),
        ended: state.ended.filter(({ id }) => id !== message.id),
        conversations: state.conversations.filter(({ id }) => id !== message.id),
        episodes: state.episodes.filter(({ id }) => id !== message.id),
      };
    default:
      return state;
  }
}

/** Adds what was recorded before. */
export function seedTop(
  state: TopState,
  record: { exchanges: readonly Exchange[]; samples: readonly MemorySample[] },
): TopState {
  const ended = record.exchanges.filter((exchange) => "endedAt" in exchange.state);
  const before = record.samples.filter(({ takenAt }) => takenAt < (state.sample?.takenAt ?? Infinity));
  return {
    ...ended.reduceRight(withExchange, state),
    used: [...before.map(usedBytes), ...state.used.slice(-1)].slice(-USED_KEPT),
  };
}

function usedBytes({ totalBytes, availableBytes }: MemorySample): number | undefined {
  return totalBytes === undefined || availableBytes === undefined ? undefined : totalBytes - availableBytes;
}

function withSample(state: TopState, sample: MemorySample | undefined): TopState {
  if (sample === undefined || sample.takenAt === state.sample?.takenAt) {
    return { ...state, sample };
  }
  const gap = state.sample !== undefined && sample.takenAt - state.sample.takenAt > GAP_MS;
  return {
    ...state,
    sample,
    used: [...state.used, ...(gap ? [undefined] : []), usedBytes(sample)].slice(-USED_KEPT),
  };
}

function withExchange(state: TopState, exchange: Exchange): TopState {
  if (exchange.operation === "other") {
    return state;
  }
  const live = state.live.filter(({ id }) => id !== exchange.id);
  if ("endedAt" in exchange.state) {
    const ended = [exchange, ...state.ended.filter(({ id }) => id !== exchange.id)];
    return {
      ...state,
      live,
      ended: ended.toSorted((a, b) => b.startedAt - a.startedAt).slice(0, ENDED_KEPT),
    };
  }
  // An update that its end overtook must not bring it back to life.
  return state.ended.some(({ id }) => id === exchange.id)
    ? state
    : { ...state, live: [...live, exchange].toSorted((a, b) => a.startedAt - b.startedAt) };
}

function newest(changed: readonly Conversation[], before: readonly Conversation[]): Conversation[] {
  const ids = new Set(changed.map(({ id }) => id));
  return [...changed, ...before.filter(({ id }) => !ids.has(id))]
    .toSorted((a, b) => b.lastAt - a.lastAt)
    .slice(0, CHATS_KEPT);
}
