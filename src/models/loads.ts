/**
 * One row for each start of a runner. Where the runner's process can be seen, its process is the load; elsewhere (a
 * remote or containerised Ollama) a model's appearance in `/api/ps` has to do. Pure: what is seen comes in by calls,
 * what is learned goes out through `save`.
 */
import type { PsModel } from "../ollama/client.ts";
import type { Exchange, Load, LoadedModel, MemorySample, RunnerProcess, RunnerSample } from "../types.ts";
import { loadCause } from "./loadCause.ts";
import { canonicalName, sameModel } from "./names.ts";
import { createSteadyWatch, type SteadyWatch } from "./steady.ts";

export interface Loads {
  processesSeen(processes: readonly RunnerProcess[], at: number): void;
  modelsSeen(models: readonly PsModel[], at: number): void;
  sampled(sample: MemorySample): void;
  exchangeEnded(exchange: Exchange): void;
  loadedModels(): LoadedModel[];
  /** Allocated for one slot of this model, as the runner's arguments or `/api/ps` say. */
  contextLengthOf(model: string): number | undefined;
  isLoaded(model: string): boolean;
  modelOfProcess(pid: number): string | undefined;
}

interface OpenLoad {
  load: Load;
  /** The load of the same model before this one. */
  earlier: Load | undefined;
  process?: RunnerProcess;
  /** Its environment is read a moment after it was first seen, and not at all for another user's process. */
  environmentKnown: boolean;
  steady: SteadyWatch;
  latest?: RunnerSample;
  /** Since the runner started, until the load is measured. */
  readings: (RunnerSample & { takenAt: number })[];
}

/** A runner starts a moment after the request that needs it; clocks of `/proc` are coarse. */
const CULPRIT_SLACK_MS = 1500;
/** Four a second while a model loads: some minutes. */
const MOST_READINGS = 1000;
/** A reading later than this after the load says more about the first prompt than about the load. */
const LATEST_READING_MS = 1500;
/** Ended loads that are remembered to tell the next one's cause. */
const REMEMBERED_LOADS = 50;

export function createLoads(parts: {
  newId: () => string;
  save: (load: Load) => void;
  /** Exchanges in progress, oldest first. */
  live: () => readonly Exchange[];
  /** The model whose weights lie in this blob, if it is known. */
  modelOfBlob: (digest: string) => string | undefined;
}): Loads {
  const open = new Map<string, OpenLoad>();
  const ended: Load[] = [];
  let listed: readonly PsModel[] = [];

  const begin = (key: string, facts: Omit<Load, "id" | "cause">, process?: RunnerProcess): void => {
    const earlier = ended.findLast((load) => sameModel(load.model, facts.model));
    const load: Load = { id: parts.newId(), cause: "unknown", ...facts };
    Object.assign(load, loadCause(load, earlier));
    const environmentKnown = process?.settings.environment !== undefined;
    open.set(key, { load, earlier, process, environmentKnown, steady: createSteadyWatch(), readings: [] });
    parts.save(load);
  };

  const measure = (entry: OpenLoad, runner: RunnerSample): void => {
    entry.load.measured = { ...runner, model: entry.load.model };
    entry.readings = [];
    parts.save(entry.load);
  };

  const finish = (key: string, at: number): void => {
    const entry = open.get(key);
    if (entry !== undefined) {
      open.delete(key);
      entry.load.unloadedAt = at;
      ended.push(entry.load);
      if (ended.length > REMEMBERED_LOADS) {
        ended.shift();
      }
      parts.save(entry.load);
    }
  };

  const openLoadOf = (model: string): OpenLoad | undefined =>
    [...open.values()].findLast((entry) => sameModel(entry.load.model, model));

  const beginFromProcess = (key: string, process: RunnerProcess, at: number): void => {
    const seenAt = process.startedAt ?? at;
    const known = process.blobDigest === undefined ? undefined : parts.modelOfBlob(process.blobDigest);
    const culprit = culpritOf(parts.live(), seenAt, known);
    // As Ollama will list it: a request may have left out the tag, or used another case.
    const asked = culprit?.model === undefined ? undefined : canonicalName(culprit.model);
    const model = known ?? asked ?? unlistedName(process);
    begin(
      key,
      {
        // The system tells process starts to the second only; none came before the request that caused it.
        startedAt: Math.max(seenAt, culprit?.startedAt ?? seenAt),
        model,
        digest: process.blobDigest,
        exchangeId: culprit?.id,
        contextLength: process.settings.contextLength,
        parallel: process.settings.parallel,
        settings: process.settings,
      },
      process,
    );
  };

  const beginFromList = (model: PsModel, at: number): void => {
    const culprit = culpritOf(parts.live(), at, model.name);
    begin(listedKey(model), {
      startedAt: culprit?.startedAt ?? at,
      endedAt: at,
      model: model.name,
      digest: model.digest,
      exchangeId: culprit?.id,
      contextLength: model.contextLength,
      claimedBytes: model.sizeBytes,
      claimedDeviceBytes: model.deviceBytes,
    });
  };

  return {
    processesSeen(processes, at) {
      const keys = new Set(processes.map(processKey));
      // What is gone first: a reload ends one runner to start the next, and the next one's cause is the difference.
      for (const [key, entry] of open) {
        if (entry.process !== undefined && !keys.has(key)) {
          finish(key, at);
        }
      }
      for (const process of processes) {
        const key = processKey(process);
        const entry = open.get(key);
        if (entry === undefined) {
          beginFromProcess(key, process, at);
        } else if (!entry.environmentKnown && process.settings.environment !== undefined) {
          entry.environmentKnown = true;
          entry.load.settings = process.settings;
          parts.save(entry.load);
        }
      }
    },

    modelsSeen(models, at) {
      listed = models;
      const keys = new Set(models.map(listedKey));
      for (const [key, entry] of open) {
        if (entry.process === undefined && !keys.has(key)) {
          finish(key, at);
        }
      }
      const runnersAreVisible = [...open.values()].some((entry) => entry.process !== undefined);
      for (const model of models) {
        const entry = openLoadOf(model.name);
        if (entry !== undefined) {
          confirm(entry, model, at, parts.save);
        } else if (!runnersAreVisible) {
          beginFromList(model, at);
        }
      }
    },

    sampled(sample) {
      for (const runner of sample.runners) {
        const entry = [...open.values()].find((candidate) => candidate.process?.pid === runner.pid);
        if (entry === undefined) {
          continue;
        }
        runner.model = entry.load.model;
        entry.latest = runner;
        if (entry.load.measured !== undefined) {
          continue;
        }
        entry.readings.push({ ...runner, takenAt: sample.takenAt });
        if (entry.readings.length > MOST_READINGS) {
          entry.readings.shift();
        }
        const awaited = parts.live().some((exchange) => exchange.id === entry.load.exchangeId);
        const steady = entry.steady.feed(runner, sample.takenAt);
        if (!awaited && entry.load.endedAt !== undefined && steady) {
          measure(entry, runner);
        }
      }
    },

    exchangeEnded(exchange) {
      const entry = [...open.values()].find((candidate) => candidate.load.exchangeId === exchange.id);
      if (entry === undefined || entry.load.measured !== undefined) {
        return;
      }
      const { loadMs } = exchange.usage ?? {};
      const firstTokenAt = "firstTokenAt" in exchange.state ? exchange.state.firstTokenAt : undefined;
      const endedAt =
        loadMs === undefined ? (entry.load.endedAt ?? firstTokenAt) : Math.round(exchange.startedAt + loadMs);
      if (endedAt !== undefined) {
        entry.load.endedAt = endedAt;
        // What comes later is what prompts added: the load itself is what was there when it ended.
        const reading = entry.readings.find(({ takenAt }) => takenAt >= endedAt);
        if (reading !== undefined && reading.takenAt - endedAt <= LATEST_READING_MS) {
          const { takenAt: _, ...runner } = reading;
          measure(entry, runner);
        } else {
          parts.save(entry.load);
        }
      }
    },

    loadedModels() {
      return listed.map((model) => {
        const entry = openLoadOf(model.name);
        return {
          name: model.name,
          digest: model.digest,
          contextLength: model.contextLength ?? entry?.load.contextLength,
          expiresAt: model.expiresAt,
          claimedBytes: model.sizeBytes,
          claimedDeviceBytes: model.deviceBytes,
          settings: entry?.load.settings,
          measured: entry?.latest,
          loadId: entry?.load.id,
        };
      });
    },

    contextLengthOf(model) {
      const runner = openLoadOf(model)?.load.contextLength;
      return runner ?? listed.find((entry) => sameModel(entry.name, model))?.contextLength;
    },

    isLoaded: (model) => listed.some((entry) => sameModel(entry.name, model)),

    modelOfProcess: (pid) => [...open.values()].find((entry) => entry.process?.pid === pid)?.load.model,
  };
}

/** Process ids are used again; with the start time a process has its name for itself. */
function processKey(process: RunnerProcess): string {
  return `process:${process.pid}:${process.startTicks ?? ""}`;
}

/** A model with another context is another runner, though it has the same name. */
function listedKey(model: PsModel): string {
  return `listed:${canonicalName(model.name)}:${model.contextLength ?? ""}`;
}

/** `/api/ps` lists a model only once its load is over. */
function confirm(entry: OpenLoad, model: PsModel, at: number, save: (load: Load) => void): void {
  const { load } = entry;
  const known = load.claimedBytes === model.sizeBytes && load.endedAt !== undefined;
  if (known) {
    return;
  }
  load.endedAt ??= at;
  load.model = model.name;
  load.contextLength ??= model.contextLength;
  if (load.cause === "unknown") {
    // Runners of v0.12 to v0.24 do not say in their arguments what they were started with.
    Object.assign(load, loadCause(load, entry.earlier));
  }
  load.claimedBytes = model.sizeBytes;
  load.claimedDeviceBytes = model.deviceBytes;
  save(load);
}

const LOADING_OPERATIONS = new Set(["chat", "generate", "embed", "load"]);

/** The request that made Ollama start a runner: the oldest one waiting, for this model if the model is known. */
function culpritOf(
  live: readonly Exchange[],
  startedAt: number,
  model: string | undefined,
): Exchange | undefined {
  return live.find(
    (exchange) =>
      exchange.state.phase === "waiting" &&
      LOADING_OPERATIONS.has(exchange.operation) &&
      exchange.startedAt <= startedAt + CULPRIT_SLACK_MS &&
      (model === undefined || (exchange.model !== undefined && sameModel(exchange.model, model))),
  );
}

function unlistedName(process: RunnerProcess): string {
  return process.blobDigest === undefined ? "unknown" : `sha256:${process.blobDigest.slice(0, 12)}`;
}
