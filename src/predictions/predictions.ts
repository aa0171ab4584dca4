/**
 * Everything that is predicted, and put next to what happened: each load and each exchange gets its figures before it
 * runs and the measured ones afterwards.
 */
import type { OllamaClient } from "../ollama/client.ts";
import type { AccuracySummary } from "../predict/accuracy.ts";
import type { CalibrationEntry } from "../predict/calibration.ts";
import { fitEstimate } from "../predict/fit.ts";
import { cacheEstimate } from "../predict/kvCache.ts";
import { rewroteForTiles } from "../predict/repack.ts";
import { resolveSettings } from "../predict/resolveSettings.ts";
import { takenBytes } from "../predict/runnerBytes.ts";
import type { SettingsInput } from "../predict/settingsSource.ts";
import { speedCurve } from "../predict/speedCurve.ts";
import type {
  Exchange,
  ExchangeObserver,
  Load,
  LoadedModel,
  Log,
  Machine,
  MemoryEstimate,
  MemorySample,
} from "../types.ts";
import { createAsk, type Ask } from "./ask.ts";
import { deviceBandwidth, hostBandwidth } from "./bandwidth.ts";
import { createChanges, type ChangeOf } from "./changes.ts";
import { createChatModels, type ChatModels } from "./chatModels.ts";
import { createExchangePredictions, type ModelNow } from "./exchanges.ts";
import type { Knowledge } from "./keep.ts";
import { claimRemark, createLoadPredictions } from "./loads.ts";
import { machineSettings } from "./machineSettings.ts";
import { createModelKnowledge } from "./modelKnowledge.ts";
import { createSpeedNews } from "./speedNews.ts";
import { decodePlanOf, speedOf, type Bandwidths } from "./speeds.ts";

export interface Predictions {
  observer: ExchangeObserver;
  /** Called whenever a load's row changes, before it is kept. */
  loadChanged(load: Load): void;
  /** Called with what Ollama lists: shapes are asked for before they are needed. */
  modelsSeen(models: readonly LoadedModel[]): void;
  /** The loaded models with the estimate that was made of them. */
  withEstimates(models: LoadedModel[]): LoadedModel[];
  /** A recorded load with the reason why Ollama's claim differs. */
  explained(load: Load): Load;
  accuracy(): AccuracySummary & { calibration: CalibrationEntry[] };
  /** For the metrics. */
  errors(): { model: string; kind: string; medianErrorRatio: number }[];
  /** Forgets what was learned of one model, or of all. */
  reset(model?: string): void;
  ask: Ask;
  /** What another setting would cost, from memory and at once; undefined while the model is not known. */
  change: ChangeOf;
  /** For whoever follows chats. */
  chatModels: ChatModels;
}

export interface PredictionParts {
  client: OllamaClient;
  knowledge: Knowledge;
  now: () => number;
  monotonic: () => number;
  log: Log;
  live: () => readonly Exchange[];
  loadedModels: () => LoadedModel[];
  ollamaVersion: () => string | undefined;
  /** What of the environment of `ollama serve` bears on memory, where it may be read. */
  serverEnvironment: () => Readonly<Record<string, string>> | undefined;
  sample: () => MemorySample | undefined;
  machine: () => Machine | undefined;
  /** Tells the size of Ollama's canonical name from what a request said. */
  canonicalName: (model: string) => string;
}

/** Scrapers ask often, and a week's scores take some milliseconds to add up, which streams would wait for. */
const TELL_AGAIN_MS = 10_000;

export function createPredictions(parts: PredictionParts): Predictions {
  const { knowledge, now, log } = parts;
  /** Seen once a runner has rewritten its weights for the processor's matrix tiles: it will do so again. */
  let tiles = false;
  let told: { at: number; errors: ReturnType<Predictions["errors"]> } = {
    at: Number.NEGATIVE_INFINITY,
    errors: [],
  };
  const settingsOfMachine = (): Omit<SettingsInput, "shape"> =>
    machineSettings({
      sample: parts.sample(),
      machine: parts.machine(),
      tiles,
      evictableBytes: parts.loadedModels().reduce((sum, model) => sum + (model.claimedDeviceBytes ?? 0), 0),
      ollamaVersion: parts.ollamaVersion(),
      environment: parts.serverEnvironment(),
    });
  const models = createModelKnowledge({ client: parts.client, monotonic: parts.monotonic });
  const loads = createLoadPredictions({
    known: models.get,
    requestedContext: (load) => parts.live().find(({ id }) => id === load.exchangeId)?.requestedContextLength,
    machine: settingsOfMachine,
    calibration: knowledge.calibration,
    accuracy: knowledge.accuracy,
    now,
    onLearned: knowledge.changed,
  });

  const cacheTypeOf = (loaded: LoadedModel | undefined): string | undefined =>
    loaded?.settings?.kvCacheTypeK ??
    (loaded?.loadId === undefined ? undefined : loads.cacheTypeOf(loaded.loadId));

  const modelNow = (name: string): ModelNow => {
    const key = parts.canonicalName(name);
    const loaded = parts.loadedModels().find((model) => parts.canonicalName(model.name) === key);
    const predicted = loaded?.loadId === undefined ? undefined : loads.estimateOf(loaded.loadId);
    return {
      key,
      loaded: loaded !== undefined,
      contextLength: loaded?.contextLength,
      settings: speedSettings(loaded, cacheTypeOf(loaded)),
      promptCache: predicted?.promptCacheLimitBytes !== undefined && predicted.promptCacheLimitBytes > 0,
      slots: loaded?.settings?.parallel,
      trainedContextLength: models.get(key)?.shape.trainedContextLength,
      runnerContextLength: loaded?.settings?.contextLength ?? loaded?.contextLength,
      runnerBytes: loaded?.measured === undefined ? undefined : takenBytes(loaded.measured),
      kvBytesPerToken: predicted?.kvBytesPerToken,
    };
  };

  const exchanges = createExchangePredictions({
    learned: knowledge.learned,
    calibration: knowledge.calibration,
    accuracy: knowledge.accuracy,
    now,
    monotonic: parts.monotonic,
    modelNow,
    live: parts.live,
    onChange: createSpeedNews({ monotonic: parts.monotonic, log }),
    onLearned: knowledge.changed,
  });

  const memoryNow = () => ({
    headroomBytes: parts.sample()?.headroomBytes,
    totalBytes: parts.sample()?.totalBytes,
    unifiedMemory: settingsOfMachine().backend === "metal",
  });
  const loadedAs = (model: string): LoadedModel | undefined =>
    parts.loadedModels().find((entry) => parts.canonicalName(entry.name) === parts.canonicalName(model));

  const bandwidths = (): Bandwidths => ({
    host: hostBandwidth(parts.machine(), knowledge.bandwidth()),
    device: deviceBandwidth(parts.machine(), knowledge.bandwidth()),
  });

  /** Tells what a token of this model reads: as it is loaded, or as Ollama would load it. */
  const describeSpeed = (name: string, loaded?: LoadedModel): void => {
    const model = models.get(name);
    if (model === undefined) {
      return;
    }
    const machine = settingsOfMachine();
    try {
      const settings = resolveSettings({
        ...machine,
        shape: model.shape,
        modelParameters: model.parameters,
        runner: loaded?.settings,
        environment: loaded?.settings?.environment ?? machine.environment,
        ps: { contextLength: loaded?.contextLength },
      });
      const { kvBytesPerToken } = cacheEstimate(model.shape, settings);
      const plan = decodePlanOf({ shape: model.shape, settings, kvBytesPerToken }, bandwidths());
      if (plan !== undefined) {
        knowledge.learned.speed.describe(name, speedSettings(loaded, cacheTypeOf(loaded)), plan);
      }
    } catch {
      // Settings that the server would refuse: there is no speed to foresee then.
    }
  };

  return {
    observer: {
      ...exchanges.observer,
      onRequest(exchange, facts) {
        if (exchange.model !== undefined) {
          models.want(parts.canonicalName(exchange.model), undefined, () =>
            describeSpeed(parts.canonicalName(exchange.model ?? "")),
          );
        }
        exchanges.observer.onRequest?.(exchange, facts);
      },
    },
    loadChanged(load) {
      const shape = models.get(load.model)?.shape;
      const onCpu = settingsOfMachine().backend === "cpu";
      if (onCpu && shape !== undefined && load.claimedDeviceBytes !== undefined) {
        tiles ||= rewroteForTiles(shape, load.claimedDeviceBytes);
      }
      loads.update(load);
    },
    modelsSeen(listed) {
      for (const loaded of listed) {
        const key = parts.canonicalName(loaded.name);
        models.want(key, loaded.digest, () => describeSpeed(key));
        describeSpeed(key, loaded);
      }
    },
    withEstimates: (listed) =>
      listed.map((model) => {
        const estimate = model.loadId === undefined ? undefined : loads.estimateOf(model.loadId);
        return estimate === undefined ? model : { ...model, predicted: withSpeed(estimate, model) };
      }),
    ask: createAsk({
      client: parts.client,
      known: (model) => models.get(parts.canonicalName(model)),
      settings: settingsOfMachine,
      memory: memoryNow,
      loaded: loadedAs,
      calibrate: (model, bytes) =>
        knowledge.calibration.apply(parts.canonicalName(model), "residentHostBytes", bytes).calibrated,
      speed: (configured) => {
        const model = configured.model === undefined ? undefined : parts.canonicalName(configured.model);
        return speedOf(knowledge.learned, { ...configured, model }, bandwidths());
      },
    }),
    change: createChanges({
      known: (model) => models.get(parts.canonicalName(model)),
      settings: settingsOfMachine,
      memory: memoryNow,
      loaded: loadedAs,
    }),
    chatModels: createChatModels({
      knowledge,
      known: models.get,
      settings: settingsOfMachine,
      loadedModels: parts.loadedModels,
      canonicalName: parts.canonicalName,
      estimateOf: loads.estimateOf,
      speedSettings: (loaded) => speedSettings(loaded, cacheTypeOf(loaded)),
    }),
    explained: (load) => ({ ...load, claimRemark: claimRemark(load) }),
    accuracy: () => ({ ...knowledge.accuracy.summary(), calibration: knowledge.calibration.list() }),
    errors() {
      if (parts.monotonic() - told.at >= TELL_AGAIN_MS) {
        const { models: scored } = knowledge.accuracy.summary();
        told = {
          at: parts.monotonic(),
          errors: scored.flatMap(({ model, scores }) =>
            Object.entries(scores).map(([kind, { medianErrorRatio }]) => ({ model, kind, medianErrorRatio })),
          ),
        };
      }
      return told.errors;
    },
    reset(model) {
      const key = model === undefined ? undefined : parts.canonicalName(model);
      knowledge.calibration.reset(key);
      knowledge.learned.reset(key);
      knowledge.changed();
    },
  };

  function withSpeed(estimate: MemoryEstimate, model: LoadedModel): MemoryEstimate {
    const sample = parts.sample();
    const curve = speedCurve(knowledge.learned, {
      model: parts.canonicalName(model.name),
      settings: speedSettings(model, cacheTypeOf(model)),
      contextLength: model.contextLength ?? 0,
    });
    return {
      ...estimate,
      // It is loaded: what it took is free for a load in its place.
      fit: fitEstimate(estimate, {
        headroomBytes: sample?.headroomBytes,
        totalBytes: sample?.totalBytes,
        freedBytes: model.measured === undefined ? 0 : takenBytes(model.measured),
      }),
      speed: curve?.speed,
    };
  }
}

/** Makes a model as fast or slow as another one: the type of its cache and how much of it is on a device. */
function speedSettings(loaded: LoadedModel | undefined, cacheType: string | undefined): ModelNow["settings"] {
  if (loaded === undefined) {
    return undefined;
  }
  const { claimedBytes, claimedDeviceBytes } = loaded;
  const ratio =
    claimedBytes === undefined || claimedDeviceBytes === undefined || claimedBytes === 0
      ? undefined
      : claimedDeviceBytes / claimedBytes;
  return {
    ...(cacheType !== undefined && { kvCacheType: cacheType }),
    ...(ratio !== undefined && { deviceRatio: Math.round(ratio * 20) / 20 }),
  };
}
