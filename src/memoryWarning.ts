/** The warner in the running program: which requests load what, where episodes go, what the page is told. */
import { createDistantSymptoms } from "./alerts/distantSymptoms.ts";
import { createDrill, type Drill } from "./alerts/drill.ts";
import type { EpisodeChange } from "./alerts/episodes.ts";
import { createGpuEpisodes } from "./alerts/gpuEpisodes.ts";
import type { Level } from "./alerts/levels.ts";
import { createWarner } from "./alerts/warner.ts";
import { canonicalName } from "./models/names.ts";
import { needBytes } from "./predict/fit.ts";
import type { ForecastScore } from "./predict/forecastScore.ts";
import { freedBytes } from "./predict/runnerBytes.ts";
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

const LOADING = new Set<Exchange["operation"]>(["chat", "generate", "embed", "load"]);
const TURNS = new Set<Exchange["operation"]>(["chat", "generate"]);
/** An open episode's figures are kept this often; its rise and its end at once. */
const KEEP_MS = 10_000;
const LEFT_OPEN = 50;
const ASK_AGAIN_MS = 5000;
const MOST_ASKED = 200;

export function createMemoryWarning(parts: MemoryWarningParts): MemoryWarning {
  const { store, now, monotonic, log, newId } = parts;
  const announced = new Map<string, string>();
  const askedAt = new Map<string, number>();
  const quiet = new Set<string>();
  const keptAt = new Map<string, number>();
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

  const onEpisode = (episode: Episode, change: EpisodeChange): void => {
    if (change === "repeated") quiet.add(episode.id);
    if (change === "raised" || change === "escalated") quiet.delete(episode.id);
    const due = monotonic() - (keptAt.get(episode.id) ?? -Infinity) >= KEEP_MS;
    if (change !== "updated" || due) {
      keptAt.set(episode.id, monotonic());
      store.saveEpisode(episode);
    }
    parts.publish(episode);
    if (!quiet.has(episode.id) && change !== "settled") parts.tell(episode);
    if (episode.endedAt !== undefined) {
      keptAt.delete(episode.id);
      quiet.delete(episode.id);
    }
  };

  const busy = (): string[] =>
    parts
      .live()
      .flatMap(({ model }) => (model === undefined ? [] : [canonicalName(model)]))
      .flatMap((name) => parts.models().filter((model) => canonicalName(model.name) === name))
      .map(({ name }) => name);

  const warner = createWarner({
    now,
    monotonic,
    newId,
    models: parts.models,
    busy,
    ollamaVersion: parts.ollamaVersion,
    compressedSwapOnly: parts.swapIsCompressed,
    onEpisode,
  });
  const gpu = createGpuEpisodes({ newId, onChange: onEpisode, speed: speedBefore(parts.models) });
  const distant = createDistantSymptoms({ newId, onChange: onEpisode });
  const drill = createDrill({ now, newId, onEpisode: parts.publish, ollamaVersion: parts.ollamaVersion });

  /** A model that Ollama does not describe is asked about now and then, not with each request. */
  const mayAsk = (key: string): boolean => {
    if (monotonic() - (askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return false;
    if (askedAt.size >= MOST_ASKED) askedAt.clear();
    askedAt.set(key, monotonic());
    return true;
  };

  const announce = (exchange: Exchange, model: string, contextLength: number | undefined): void => {
    const key = canonicalName(model);
    if ([...announced.values()].includes(key)) return;
    announced.set(exchange.id, key);
    const loaded = parts.models().find((entry) => canonicalName(entry.name) === key);
    const { measured } = loaded ?? {};
    const load = {
      id: exchange.id,
      model,
      freedBytes: measured && freedBytes(measured),
    };
    warner.announceLoad({ ...load, pending: true });
    const query = { model, contextLength };
    const known = parts.ask.known(model);
    if (known === undefined && !mayAsk(key)) return;
    parts.ask
      .predict(query, known)
      .catch(() => undefined)
      .then((estimate) => {
        // It may have ended while its need was being found out.
        if (!announced.has(exchange.id)) return;
        const known = estimate?.weightsBytes !== undefined;
        const need = known ? needBytes(estimate, { unifiedMemory: parts.unifiedMemory() }).host : undefined;
        // For a load that fits, the largest context that does is more than it asks for: no fix.
        const fits = estimate?.fit.verdict === "overflows" ? estimate.fit.largestContextThatFits : undefined;
        guarded(() => warner.announceLoad({ ...load, needBytes: need, largestContextThatFits: fits }));
      })
      .catch(() => {});
  };

  /** What this turn will leave in the runner, where its growth is understood. */
  const expectedOf = (model: string | undefined): number | undefined =>
    model === undefined
      ? undefined
      : parts.models().find((entry) => canonicalName(entry.name) === canonicalName(model))?.growth
          ?.nextTurnBytes?.predicted;

  const loaded = (exchange: Exchange): void => {
    if (!announced.delete(exchange.id)) return;
    warner.loadEnded(exchange.id);
    if (TURNS.has(exchange.operation)) warner.turnStarted(expectedOf(exchange.model));
  };

  return {
    observer: {
      name: "memory warning",
      onRequest(exchange, facts) {
        const { model, operation } = exchange;
        if (model === undefined || !LOADING.has(operation) || !parts.memoryIsVisible()) return;
        if (parts.willLoad(exchange, facts)) announce(exchange, model, facts.requestedContextLength);
        else if (TURNS.has(operation)) warner.turnStarted(expectedOf(model));
      },
      onUpdate(exchange) {
        if (exchange.state.phase === "streaming") loaded(exchange);
      },
      onEnd(exchange) {
        if (announced.has(exchange.id) && exchange.state.phase !== "completed") warner.relieved();
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
    async start() {
      try {
        const { episodes } = await store.episodes({ limit: LEFT_OPEN });
        for (const episode of episodes) {
          if (episode.endedAt === undefined) {
            // What came of it nobody saw.
            store.saveEpisode({
              ...episode,
              endedAt: episode.peakAt ?? episode.startedAt,
              currentLevel: "ok",
            });
          }
        }
      } catch {
        // Without a record there is nothing to close.
      }
    },
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
