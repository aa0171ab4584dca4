/** The watch over memory in the running program: fed with readings and exchanges, asked by the page. */
import { createDistantSymptoms } from "./alerts/distantSymptoms.ts";
import { createDrill, type Drill } from "./alerts/drill.ts";
import { createGpuEpisodes } from "./alerts/gpuEpisodes.ts";
import type { Level } from "./alerts/levels.ts";
import { createWarner } from "./alerts/warner.ts";
import { createEpisodeOutlets } from "./episodeOutlets.ts";
import { createLoadAnnouncements } from "./loadAnnouncements.ts";
import { canonicalName } from "./models/names.ts";
import { isTurn, loadsModel } from "./ollama/operations.ts";
import type { ForecastScore } from "./predict/forecastScore.ts";
import type { Ask } from "./predictions/ask.ts";
import type { Store } from "./store/api.ts";
import type {
  Episode,
  Exchange,
  ExchangeObserver,
  Forecast,
  Load,
  LoadedModel,
  Log,
  MemorySample,
  RequestFacts,
} from "./types.ts";

export interface MemoryWarning {
  observer: ExchangeObserver;
  /** Judges a reading; answers the forecast that goes with it. Never throws. */
  sampled(sample: MemorySample): Forecast | undefined;
  /** The last reading was of a machine that swaps, or reads weights again and again. */
  swapsNow(): boolean;
  loadChanged(load: Load): void;
  /** Open ones, drills included. */
  episodes(): Episode[];
  forecast(): Forecast | undefined;
  /** Of memory, as its open episode says. */
  level(): Level;
  scores(): ForecastScore[];
  /** Open and past episodes, newest first. */
  list(query: { limit?: number; before?: string }): Promise<{ rows: Episode[]; next?: string }>;
  drill: Drill;
  /** Ends what an earlier run of the program left open. */
  start(): Promise<void>;
  close(): void;
}

export interface MemoryWarningParts {
  store: Store;
  now: () => number;
  monotonic: () => number;
  newId: () => string;
  log: Log;
  ask: Pick<Ask, "predict" | "known">;
  /** Whether a request makes Ollama start a runner. */
  willLoad: (exchange: Exchange, facts: RequestFacts) => boolean;
  models: () => readonly LoadedModel[];
  live: () => readonly Exchange[];
  ollamaVersion: () => string | undefined;
  memoryIsVisible: () => boolean;
  swapIsCompressed: () => boolean;
  unifiedMemory: () => boolean;
  /** Shown on the page: each change. */
  publish: (episode: Episode) => void;
  /** Told to the channels: what is news. */
  tell: (episode: Episode) => void;
}

export function createMemoryWarning(parts: MemoryWarningParts): MemoryWarning {
  const { store, now, monotonic, log, newId } = parts;
  let failed = false;

  /** Memory is watched beside the chats: what goes wrong here must not reach the sampler or a request. */
  const guarded = <Result>(what: () => Result): Result | undefined => {
    try {
      return what();
    } catch (error) {
      if (!failed) log.error("the watch over memory failed; chatting goes on", { error: String(error) });
      failed = true;
      return undefined;
    }
  };

  const busy = (): string[] =>
    parts
      .live()
      .flatMap(({ model }) => (model === undefined ? [] : [canonicalName(model)]))
      .flatMap((name) => parts.models().filter((model) => canonicalName(model.name) === name))
      .map(({ name }) => name);

  const outlets = createEpisodeOutlets({
    store,
    monotonic,
    publish: parts.publish,
    tell: parts.tell,
  });
  const warner = createWarner({
    now,
    monotonic,
    newId,
    models: parts.models,
    busy,
    ollamaVersion: parts.ollamaVersion,
    compressedSwapOnly: parts.swapIsCompressed,
    onEpisode: outlets.changed,
  });
  const gpu = createGpuEpisodes({ newId, onChange: outlets.changed, speed: speedBefore(parts.models) });
  const distant = createDistantSymptoms({ newId, onChange: outlets.changed });
  const announcements = createLoadAnnouncements({
    ask: parts.ask,
    models: parts.models,
    monotonic,
    unifiedMemory: parts.unifiedMemory,
    announceLoad: warner.announceLoad,
    guarded,
  });
  const drill = createDrill({ now, newId, onEpisode: parts.publish, ollamaVersion: parts.ollamaVersion });

  /** What this turn will leave in the runner, where its growth is understood. */
  const expectedOf = (model: string | undefined): number | undefined =>
    model === undefined
      ? undefined
      : parts.models().find((entry) => canonicalName(entry.name) === canonicalName(model))?.growth
          ?.nextTurnBytes?.predicted;

  const loaded = (exchange: Exchange): void => {
    if (!announcements.withdraw(exchange.id)) return;
    warner.loadEnded(exchange.id);
    if (isTurn(exchange.operation)) warner.turnStarted(expectedOf(exchange.model));
  };

  return {
    observer: {
      name: "memory warning",
      onRequest(exchange, facts) {
        const { model, operation } = exchange;
        if (model === undefined || !loadsModel(operation) || !parts.memoryIsVisible()) return;
        if (parts.willLoad(exchange, facts)) {
          announcements.announce(exchange, model, facts.requestedContextLength);
        } else if (isTurn(operation)) warner.turnStarted(expectedOf(model));
      },
      onUpdate(exchange) {
        if (exchange.state.phase === "streaming") loaded(exchange);
      },
      onEnd(exchange) {
        if (announcements.has(exchange.id) && exchange.state.phase !== "completed") warner.relieved();
        loaded(exchange);
        if (!parts.memoryIsVisible()) distant.ended(exchange, now());
      },
    },
    sampled(sample) {
      const forecast = guarded(() => warner.sampled(sample));
      guarded(() => gpu.sampled(sample, now(), monotonic()));
      return forecast;
    },
    swapsNow: () => guarded(warner.swapsNow) ?? false,
    loadChanged(load) {
      guarded(() => gpu.loadChanged(load, now()));
    },
    episodes: () =>
      [warner.episode(), distant.open(), ...gpu.open(), ...drill.episodes()].filter(
        (one) => one !== undefined,
      ),
    forecast: warner.forecast,
    level: warner.level,
    scores: warner.scores,
    async list(query) {
      const { episodes, next } = await store.episodes(query);
      const open = [warner.episode(), distant.open(), ...gpu.open()];
      return { rows: episodes.map((row) => open.find((one) => one?.id === row.id) ?? row), next };
    },
    drill,
    start: outlets.closeLeftOpen,
    close: drill.stop,
  };
}

/** tok/s as they were measured at the start of a context, before a load changed where the model lies. */
function speedBefore(models: () => readonly LoadedModel[]) {
  return (name: string): { before?: number } | undefined => {
    const model = models().find((entry) => canonicalName(entry.name) === canonicalName(name));
    const before = model?.predicted?.speed?.decodeTokensPerSecond[0]?.value;
    return before === undefined ? undefined : { before };
  };
}
