/**
 * Which load a request would cause, and whether it fits: judged when the request has been read, from what is known of the
 * model, the runners and the newest reading of memory. Where anything of that is missing there is no finding.
 */
import { loadsModel } from "../../ollama/operations.ts";
import { residentBytes } from "../../predict/runnerBytes.ts";
import type { SettingsInput } from "../../predict/settingsSource.ts";
import type { Exchange, LoadedModel, MemorySample, RequestFacts } from "../../types.ts";
import { largestContext, loadNeed, statedContext, type Room } from "./loadNeed.ts";
import { createResidency } from "./residency.ts";
import { runnerChange, type RunnerOptions } from "./runnerChange.ts";
import type { Finding } from "./words.ts";

export interface ForesightParts {
  canonicalName(model: string): string;
  /** A reading of at most 5 s, of the machine that Ollama runs on. */
  sample(): MemorySample | undefined;
  loadedModels(): readonly LoadedModel[];
  /** Asks Ollama what is loaded now. */
  listNow(): Promise<readonly { name: string; contextLength?: number | undefined }[]>;
  /** The settings a load would have; undefined for a model that Ollama does not have or that runs elsewhere. */
  settingsFor(
    query: { model: string } & NonNullable<SettingsInput["query"]>,
  ): Promise<SettingsInput | undefined>;
  calibrate(model: string, residentHostBytes: number): number;
  live(): readonly Exchange[];
  marginBytes: number;
}

export interface Foreseen extends Finding {
  freedBytes: number;
  /** The context of the runner that is loaded now. */
  loadedContextLength?: number | undefined;
  /** What the load would need with another context. */
  needAt(contextLength: number): number;
}

export interface Foresight {
  /** A load that does not fit; undefined when it fits, nothing is loaded, or it cannot be told. */
  find(exchange: Exchange, facts: RequestFacts): Promise<Foreseen | undefined>;
  /** Whether nothing is loaded for sure: the runner that is there serves this request. */
  isServed(exchange: Exchange, facts: RequestFacts): boolean;
  /** The request goes to Ollama, with another context and need where it was changed. */
  admitted(
    exchange: Exchange,
    facts: RequestFacts,
    changed?: { contextLength: number; needBytes?: number | undefined },
  ): void;
  modelsSeen(models: readonly LoadedModel[], at: number): void;
}

/** Ollama keeps so many models for each graphics card, or without one, unless told otherwise. */
const USUAL_MODELS = 3;
const MOST_REMEMBERED = 200;
/** Less than this is not worth naming. */
const WORTH_UNLOADING_BYTES = 64 * 1024 ** 2;

/**
 * Remembers the last options of each model and the loads under way, so that two requests that come together are not
 * both promised the same memory.
 */
export function createForesight(parts: ForesightParts): Foresight {
  const last = new Map<string, RunnerOptions>();
  /** Loads under way: what they need is spoken for though memory does not show it yet. */
  const underWay = new Map<string, { key: string; options: RunnerOptions; needBytes: number }>();
  const needs = new WeakMap<Exchange, number>();
  const residency = createResidency(parts.canonicalName);

  const keyOf = (exchange: Exchange): string | undefined =>
    exchange.model === undefined ? undefined : parts.canonicalName(exchange.model);

  const loadedOf = (key: string): LoadedModel | undefined =>
    parts.loadedModels().find(({ name }) => parts.canonicalName(name) === key);

  const forgetEnded = (): void => {
    const waiting = new Set(parts.live().flatMap(({ id, state }) => (state.phase === "waiting" ? [id] : [])));
    for (const id of underWay.keys()) {
      if (!waiting.has(id)) {
        underWay.delete(id);
      }
    }
  };

  /** Somebody's request is loading just this already. */
  const isBeingLoaded = (key: string, options: RunnerOptions): boolean =>
    [...underWay.values()].some(
      (load) => load.key === key && JSON.stringify(load.options) === JSON.stringify(options),
    );

  const spokenFor = (key: string, sample: MemorySample): number => {
    const byModel = new Map<string, number>();
    for (const load of underWay.values()) {
      if (load.key !== key) {
        byModel.set(load.key, load.needBytes);
      }
    }
    let bytes = 0;
    for (const [model, need] of byModel) {
      const runner = sample.runners.find(
        ({ model: name }) => name !== undefined && parts.canonicalName(name) === model,
      );
      bytes += Math.max(0, need - (runner === undefined ? 0 : residentBytes(runner)));
    }
    return bytes;
  };

  const roomFor = (key: string, input: SettingsInput, sample: MemorySample): Room | undefined => {
    if (sample.headroomBytes === undefined) {
      return undefined;
    }
    const own = loadedOf(key);
    const ownBytes = own === undefined ? 0 : hostBytesOf(own);
    if (ownBytes === undefined) {
      return undefined;
    }
    const others = parts.loadedModels().filter(({ name }) => parts.canonicalName(name) !== key);
    const total = sample.gpus.reduce((sum, gpu) => sum + (gpu.totalBytes ?? 0), 0);
    const used = sample.gpus.reduce((sum, gpu) => sum + (gpu.usedBytes ?? 0), 0);
    const onDevice = parts.loadedModels().reduce((sum, model) => sum + (model.claimedDeviceBytes ?? 0), 0);
    return {
      headroomBytes: sample.headroomBytes - parts.marginBytes - spokenFor(key, sample),
      freedBytes: ownBytes + evictedBytes(others, input, sample),
      deviceFreeBytes: total === 0 ? undefined : total - used + onDevice,
      calibrate: (bytes) => parts.calibrate(key, bytes),
    };
  };

  /** With a graphics card Ollama makes room by itself; without one only its number of models does. */
  const evictedBytes = (
    others: readonly LoadedModel[],
    input: SettingsInput,
    sample: MemorySample,
  ): number => {
    const sizes = others.map((model) => hostBytesOf(model) ?? 0).toSorted((left, right) => right - left);
    const hasDevice = sample.gpus.length > 0 || (input.backend !== undefined && input.backend !== "cpu");
    const set = Number(input.environment?.["OLLAMA_MAX_LOADED_MODELS"] ?? 0) || residency.limit();
    const limit = set ?? USUAL_MODELS * Math.max(1, sample.gpus.length);
    const count = hasDevice ? sizes.length : Math.max(0, sizes.length + 1 - limit);
    return sizes.slice(0, count).reduce((sum, size) => sum + size, 0);
  };

  const changeNow = (
    key: string,
    asked: RunnerOptions,
    loaded: { contextLength?: number | undefined } | undefined,
    input?: SettingsInput,
  ) =>
    runnerChange(asked, {
      loaded,
      last: last.get(key),
      defaultContextLength: input === undefined ? undefined : statedContext(input),
      trainedContextLength: input?.shape.trainedContextLength,
    });

  return {
    isServed(exchange, facts) {
      const key = keyOf(exchange);
      if (key === undefined || !loadsModel(exchange.operation) || facts.unread !== undefined) {
        return true;
      }
      const loaded = loadedOf(key);
      return loaded !== undefined && changeNow(key, optionsOf(facts), loaded) === "none";
    },

    async find(exchange, facts) {
      const key = keyOf(exchange);
      const { model } = exchange;
      if (key === undefined || model === undefined || !loadsModel(exchange.operation)) {
        return undefined;
      }
      const asked = optionsOf(facts);
      const input = await parts.settingsFor({ model, ...queryOf(asked) });
      if (input === undefined || changeNow(key, asked, loadedOf(key), input) !== "loads") {
        return undefined;
      }
      forgetEnded();
      const sample = parts.sample();
      const room = sample === undefined ? undefined : roomFor(key, input, sample);
      if (room === undefined || isBeingLoaded(key, asked)) {
        return undefined;
      }
      const need = loadNeed(input, room);
      needs.set(exchange, need.needBytes);
      if (need.uncertain || need.shortBytes <= 0) {
        return undefined;
      }
      // What was heard last may be seconds old: before anything is done, Ollama says what is loaded now.
      const listed = await parts.listNow();
      const listedNow = listed.find(({ name }) => parts.canonicalName(name) === key);
      const loadedSince = listedNow !== undefined && loadedOf(key) === undefined;
      if (loadedSince || changeNow(key, asked, listedNow, input) !== "loads") {
        return undefined;
      }
      return {
        model,
        dialect: exchange.dialect,
        contextLength: need.contextLength,
        needBytes: need.needBytes,
        freeBytes: room.headroomBytes + room.freedBytes,
        freedBytes: room.freedBytes,
        shortBytes: need.shortBytes,
        loadedContextLength: listedNow?.contextLength,
        fittingContextLength: largestContext(input, room, need.contextLength),
        idleModel: idleModel(key, parts),
        needAt: (contextLength) => loadNeed(input, room, contextLength).needBytes,
      };
    },

    admitted(exchange, facts, changed) {
      const key = keyOf(exchange);
      if (key === undefined || facts.unread !== undefined) {
        return;
      }
      if (exchange.operation === "unload") {
        residency.unloadAsked(key);
        return;
      }
      if (!loadsModel(exchange.operation)) {
        return;
      }
      const options = optionsOf(facts);
      const sent = changed === undefined ? options : { ...options, contextLength: changed.contextLength };
      const needBytes = changed === undefined ? needs.get(exchange) : changed.needBytes;
      if (needBytes !== undefined) {
        underWay.set(exchange.id, { key, options: sent, needBytes });
      }
      last.delete(key);
      last.set(key, sent);
      if (last.size > MOST_REMEMBERED) {
        last.delete(last.keys().next().value ?? "");
      }
    },
    modelsSeen: residency.seen,
  };
}

function optionsOf(facts: RequestFacts): RunnerOptions {
  const { num_ctx: _, ...options } = facts.runnerOptions ?? {};
  return { contextLength: facts.requestedContextLength, options };
}

function queryOf({ contextLength, options }: RunnerOptions): NonNullable<SettingsInput["query"]> {
  const { num_gpu: layers, num_batch: batch, use_mmap: mmap } = options;
  return {
    ...(contextLength !== undefined && { contextLength }),
    ...(typeof layers === "number" && layers >= 0 && { offloadedLayers: layers }),
    ...(typeof batch === "number" && batch > 0 && { batch }),
    ...(typeof mmap === "boolean" && { mmap }),
  };
}

/** What a loaded model holds in the host's memory: measured, else as Ollama claims; undefined when neither is known. */
function hostBytesOf({ measured, claimedBytes, claimedDeviceBytes = 0 }: LoadedModel): number | undefined {
  if (measured !== undefined) {
    return residentBytes(measured);
  }
  return claimedBytes === undefined ? undefined : Math.max(0, claimedBytes - claimedDeviceBytes);
}

function idleModel(key: string, parts: ForesightParts): { name: string; bytes: number } | undefined {
  const busy = new Set(
    parts.live().map(({ model }) => (model === undefined ? "" : parts.canonicalName(model))),
  );
  return parts
    .loadedModels()
    .filter(({ name }) => parts.canonicalName(name) !== key && !busy.has(parts.canonicalName(name)))
    .map((model) => ({ name: model.name, bytes: hostBytesOf(model) ?? 0 }))
    .toSorted((left, right) => right.bytes - left.bytes)
    .find(({ bytes }) => bytes >= WORTH_UNLOADING_BYTES);
}
