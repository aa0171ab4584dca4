/** Everything that watches memory, joined: readings and requests come in; forecasts, episodes and their words go out. */
import { makeForecast } from "../predict/forecast.ts";
import { createForecastScores, type ForecastScore } from "../predict/forecastScore.ts";
import { freedBytes } from "../predict/runnerBytes.ts";
import type { Episode, Forecast, LoadedModel, MemorySample } from "../types.ts";
import { createContributors, largestOf } from "./contributors.ts";
import { createDetector, STALE_MS, type AnnouncedLoad, type Reading } from "./detector.ts";
import { createEpisodes, type EpisodeChange } from "./episodes.ts";
import { fixesFor } from "./fixes.ts";
import type { Level } from "./levels.ts";
import { sentenceOf } from "./words.ts";

export interface Warner {
  /** The forecast from this reading; undefined when it does not tell headroom. */
  sampled(sample: MemorySample): Forecast | undefined;
  announceLoad(load: AnnouncedLoad & { largestContextThatFits?: number }): void;
  loadEnded(id: string): void;
  /** `expectedBytes`: what this turn is known to leave in memory. */
  turnStarted(expectedBytes?: number): void;
  /** A model was unloaded, or a load given up. */
  relieved(): void;
  /** Undefined when the last reading is older than 5 s. */
  forecast(): Forecast | undefined;
  episode(): Episode | undefined;
  level(): Level;
  swapsNow(): boolean;
  scores(): ForecastScore[];
}

export interface WarnerParts {
  now: () => number;
  monotonic: () => number;
  newId: () => string;
  models: () => readonly LoadedModel[];
  /** Names of models that answer a request now. */
  busy: () => readonly string[];
  ollamaVersion: () => string | undefined;
  compressedSwapOnly?: () => boolean;
  onEpisode: (episode: Episode, change: EpisodeChange) => void;
  /** Marks what comes of it as a drill. */
  drill?: boolean;
}

/** Nothing here starts a timer: without readings there is no judgement, and after 5 s no forecast. */
export function createWarner(parts: WarnerParts): Warner {
  const { monotonic } = parts;
  const detector = createDetector({ compressedSwapOnly: parts.compressedSwapOnly });
  const contributors = createContributors();
  const scores = createForecastScores();
  let latest: { forecast: Forecast; atMs: number; reading: Reading } | undefined;
  let loadFacts: { id: string; fromHeadroomBytes?: number; largestContextThatFits?: number } | undefined;
  let runnerCount = 0;

  const describe = (reading: Reading, level: Level) => {
    const { signals, turns } = reading;
    const seconds = signals.secondsByTrend ?? signals.secondsByTurns ?? signals.secondsByFastTrend;
    const models = parts.models();
    return {
      text: sentenceOf(reading, level),
      causes: largestOf(models, reading.sample, reading),
      remedies: fixesFor(reading, {
        models,
        busy: parts.busy(),
        ollamaVersion: parts.ollamaVersion(),
        largestContextThatFits: loadFacts?.largestContextThatFits,
      }),
      forecast: {
        ...(seconds !== undefined && { secondsToSwap: Math.round(seconds) }),
        ...(turns !== undefined &&
          signals.turnsLeft !== undefined && { turnsToSwap: round(signals.turnsLeft) }),
        ...rangeOf(latest?.forecast),
      },
      ...(parts.drill === true && { drill: true }),
    };
  };
  const episodes = createEpisodes({ newId: parts.newId, describe, onChange: parts.onEpisode });

  /** A runner that is gone gave its memory back. */
  const noticeRunners = (sample: MemorySample): void => {
    if (sample.runners.length < runnerCount) episodes.relieved();
    runnerCount = sample.runners.length;
  };

  const foretell = (reading: Reading): Forecast => {
    const { sample, load } = reading;
    const taken =
      loadFacts?.fromHeadroomBytes === undefined ? 0 : loadFacts.fromHeadroomBytes - reading.headroomBytes;
    return makeForecast({
      madeAt: sample.takenAt,
      headroomBytes: reading.headroomBytes,
      floorBytes: reading.leftBytes - reading.headroomBytes,
      capacityBytes: reading.capacityBytes,
      history: reading.history,
      intervalMs: reading.intervalMs,
      secondsByTrend: reading.signals.secondsByTrend,
      turns: reading.turns,
      load: load && { ...load, takenBytes: Math.max(0, taken) },
      reliefs: reliefsOf(parts.models(), parts.busy(), parts.now()),
      rates: contributors.rates(),
      usualErrors: scores.usualErrors(),
      restless: reading.restless,
    });
  };

  const take = (reading: Reading | undefined, atMs: number): Forecast | undefined => {
    if (reading === undefined) return undefined;
    const forecast = foretell(reading);
    latest = { forecast, atMs, reading };
    episodes.feed(reading, parts.now());
    return forecast;
  };

  return {
    sampled(sample) {
      const atMs = monotonic();
      const reading = detector.feed(sample, atMs);
      if (latest !== undefined && atMs - latest.atMs > 2 * STALE_MS) {
        scores.restart();
        contributors.restart();
      }
      if (reading === undefined) return undefined;
      noticeRunners(sample);
      contributors.feed(sample, reading.leftBytes, reading.capacityBytes, atMs);
      scores.came(reading.headroomBytes, atMs);
      const forecast = take(reading, atMs);
      if (forecast !== undefined) scores.made(forecast, reading.headroomBytes, atMs);
      return forecast;
    },
    announceLoad({ largestContextThatFits, ...load }) {
      const fromHeadroomBytes = latest?.reading.headroomBytes;
      loadFacts = { id: load.id, fromHeadroomBytes, largestContextThatFits };
      take(detector.announceLoad(load, monotonic()), monotonic());
    },
    loadEnded(id) {
      if (loadFacts?.id === id) loadFacts = undefined;
      detector.loadEnded(id, monotonic());
    },
    turnStarted: (expectedBytes) => detector.turnStarted(monotonic(), expectedBytes),
    relieved: episodes.relieved,
    forecast: () =>
      latest !== undefined && monotonic() - latest.atMs <= STALE_MS ? latest.forecast : undefined,
    episode: episodes.open,
    level: () => episodes.open()?.currentLevel ?? "ok",
    swapsNow: () => {
      const signals = latest?.reading.signals;
      return (signals?.swapsOut === true && signals.onlyParks !== true) || signals?.thrashes === true;
    },
    scores: scores.summary,
  };
}

/** What models that nobody uses will give back when their time is up. */
function reliefsOf(models: readonly LoadedModel[], busy: readonly string[], now: number) {
  return models.flatMap(({ name, expiresAt, measured }) => {
    if (expiresAt === undefined || measured === undefined || busy.includes(name)) return [];
    const inSeconds = Math.max(0, (expiresAt - now) / 1000);
    return [{ name, inSeconds, bytes: freedBytes(measured) }];
  });
}

function rangeOf(forecast: Forecast | undefined): { low?: number; high?: number } {
  const { low, high } = forecast?.secondsToSwap ?? {};
  return { ...(low !== undefined && { low }), ...(high !== undefined && { high }) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
