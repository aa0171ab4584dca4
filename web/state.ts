import type {
  Exchange,
  Health,
  Load,
  LoadedModel,
  MemorySample,
  ServerMessage,
  Verdict,
} from "../src/types.ts";

/** An exchange in progress and when its last token was seen, by the server's clock. */
export interface LiveExchange {
  exchange: Exchange;
  seenAt: number;
}

/** All the page knows. Absent parts have not arrived yet. */
export interface PageState {
  version?: string;
  simulated: boolean;
  verdict?: Verdict;
  health?: Health;
  sample?: MemorySample;
  models: LoadedModel[];
  /** Oldest first, so that a row keeps its place while others come and go. */
  live: LiveExchange[];
  /** Newest first, at most `endedKept`. */
  ended: Exchange[];
  /** Add this to the browser's clock to get the server's. */
  clockOffsetMs: number;
}

export const endedKept = 50;

export const emptyState: PageState = { simulated: false, models: [], live: [], ended: [], clockOffsetMs: 0 };

/** The next state after one message. `receivedAt` is the browser's clock. Pure. */
export function apply(state: PageState, message: ServerMessage, receivedAt: number): PageState {
  switch (message.type) {
    case "snapshot":
      return applySnapshot(state, message.snapshot, receivedAt);
    case "exchange":
      return applyExchange(state, message.exchange, receivedAt + state.clockOffsetMs);
    case "sample":
      return applySample(state, message.sample, receivedAt);
    case "load":
      return { ...state, models: withLoad(state.models, message.load) };
    case "removed":
      return applyRemoved(state, message.kind, message.id);
    case "conversation":
    case "alert":
      // Nothing on this page shows them.
      return state;
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
  snapshot: Extract<ServerMessage, { type: "snapshot" }>["snapshot"],
  receivedAt: number,
): PageState {
  const { version, verdict, health, models } = snapshot;
  const live = snapshot.exchanges
    .filter((exchange) => !hasEnded(exchange) && !knownToHaveEnded(state, exchange))
    .map((exchange) => toLive(state, exchange, snapshot.takenAt));
  const next: PageState = {
    ...state,
    version,
    verdict,
    health,
    models,
    live: live.toSorted(byStart),
    simulated: snapshot.simulated ?? false,
    // A snapshot without a sample means that memory is not visible now: an old figure must not stay.
    sample: snapshot.sample,
    clockOffsetMs: snapshot.takenAt - receivedAt,
  };
  return addEnded(next, snapshot.exchanges);
}

/** A sample is news of the server's clock too; it can only have been late, so it never sets the clock back. */
function applySample(state: PageState, sample: MemorySample, receivedAt: number): PageState {
  return { ...state, sample, clockOffsetMs: Math.max(state.clockOffsetMs, sample.takenAt - receivedAt) };
}

function applyExchange(state: PageState, exchange: Exchange, at: number): PageState {
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
  return { exchange, seenAt: unchanged ? before.seenAt : at };
}

function applyRemoved(
  state: PageState,
  kind: Extract<ServerMessage, { type: "removed" }>["kind"],
  id: string,
): PageState {
  if (kind === "load") return { ...state, models: state.models.filter((model) => model.loadId !== id) };
  if (kind !== "exchange") return state;
  return {
    ...state,
    live: state.live.filter(({ exchange }) => exchange.id !== id),
    ended: state.ended.filter((exchange) => exchange.id !== id),
  };
}

function withLoad(models: readonly LoadedModel[], load: Load): LoadedModel[] {
  const isSame = (model: LoadedModel): boolean =>
    model.loadId === load.id || (model.loadId === undefined && model.name === load.model);
  if (load.unloadedAt !== undefined) return models.filter((model) => !isSame(model));
  const before = models.find(isSame);
  const { digest, contextLength, claimedBytes, claimedDeviceBytes, settings, measured, predicted } = load;
  const said = { digest, contextLength, claimedBytes, claimedDeviceBytes, settings, measured, predicted };
  const model: LoadedModel = {
    ...before,
    ...definedOnly(said),
    name: before?.name ?? load.model,
    loadId: load.id,
  };
  return before ? models.map((other) => (other === before ? model : other)) : [...models, model];
}

function definedOnly<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
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
