/**
 * One row for each start of a runner, with its cause. Where the runner's process can be seen, its process is the load;
 * elsewhere (a remote or containerised Ollama) a model's appearance in `/api/ps` has to do, and answers that say how
 * long they waited for their model. Pure: what is seen comes in by calls, what is learned goes out through `save`.
 */
import type { PsModel } from "../ollama/client.ts";
import type { Exchange, LoadedModel, MemorySample, RunnerProcess, RunnerSample } from "../types.ts";
import type { BlobNames } from "./blobNames.ts";
import { CRASH_MS, crashSign, serverSign } from "./crashSigns.ts";
import { createLoadBegin, processKey } from "./loadBegin.ts";
import { createLoadBook, type LoadBookParts } from "./loadBook.ts";
import { noteListed, type EndedEntry, type LoadEntry } from "./loadEntry.ts";
import { measureOf } from "./loadMeasure.ts";
import { asksForLoad, begunAt, noteUse, waitedMs } from "./loadUse.ts";
import { sameModel } from "./names.ts";
import { askedDifferences } from "./optionDifferences.ts";
import { createWarmLoads } from "./warmLoads.ts";

export interface Loads {
  processesSeen(processes: readonly RunnerProcess[], at: number): void;
  modelsSeen(models: readonly PsModel[], at: number): void;
  /** A runner has gone, and what Ollama lists will tell whether it died: Ollama itself forgets whom it has ended. */
  awaitsList(at: number): boolean;
  sampled(sample: MemorySample): void;
  exchangeEnded(exchange: Exchange, at: number): void;
  /** Ollama does not answer, or is another one since. */
  serverLost(at: number): void;
  loadedModels(): LoadedModel[];
  /** Allocated for one slot of this model, as the runner's arguments or `/api/ps` say. */
  contextLengthOf(model: string): number | undefined;
  isLoaded(model: string): boolean;
  /** Whether a request with these options will make Ollama load the model, or load it again. */
  willLoad(model: string, options: Readonly<Record<string, number | boolean>>): boolean;
  modelOfProcess(pid: number): string | undefined;
}

/** Four a second while a model loads: some minutes. */
const MOST_READINGS = 1000;
/** A list may have been made before the load that it does not show. */
const LIST_DELAY_MS = 1000;
/** Later, a list that still has it may be of a runner that nobody has seen yet. */
const LIST_TELLS_MS = 15_000;

export function createLoads(
  parts: LoadBookParts & {
    /** Which models' weights lie in which blob, as far as that is known. */
    blobs: Pick<BlobNames, "modelsOf" | "blobOf">;
  },
): Loads {
  const { requests, save, blobs } = parts;
  const warm = createWarmLoads();
  const book = createLoadBook(
    parts,
    ({ model, usage }) =>
      model !== undefined && usage?.loadMs !== undefined && warm.isLong(model, usage.loadMs),
  );
  const { entries, explain, finish, openOf } = book;
  const begin = createLoadBegin({ ...parts, book });
  let listed: readonly PsModel[] = [];
  let listedAt: number | undefined;
  let scannedAt: number | undefined;

  /** A model with another context is another runner, though it has the same name. */
  const isAnother = (entry: LoadEntry, model: PsModel, at: number): boolean => {
    const { load, contextAssumed } = entry;
    if (model.contextLength === undefined || load.contextLength === model.contextLength) {
      return false;
    }
    if (!contextAssumed) {
      return load.contextLength !== undefined;
    }
    // What was asked for may have been clipped; or someone has asked for this since, and has it already.
    const since = book.culpritOf(
      { from: (load.endedAt ?? at) + 1, to: at },
      { model: model.name, contextLength: model.contextLength },
    );
    return since !== undefined && askedDifferences(entry.options, since.options).length > 0;
  };

  const isUnseenReload = (exchange: Exchange, model: string): boolean => {
    const entry = openOf(model);
    return entry === undefined
      ? entries().every(({ process }) => process === undefined)
      : asksForLoad(entry, exchange, requests.find(exchange.id));
  };

  /** Its weights are loaded, be it under another name. */
  const runnerOf = (model: string): LoadEntry | undefined => {
    const blob = blobs.blobOf(model);
    return (
      openOf(model) ??
      (blob === undefined
        ? undefined
        : entries().findLast(({ process }) => process !== undefined && process.blobDigest === blob))
    );
  };

  /** Ollama lists it under a name that was not known when its process was seen. */
  const named = (model: PsModel, models: readonly PsModel[]): LoadEntry | undefined => {
    const entry = runnerOf(model.name);
    if (entry === undefined || sameModel(entry.load.model, model.name)) return entry;
    if (models.some(({ name }) => sameModel(name, entry.load.model))) return undefined;
    entry.load.model = model.name;
    return entry;
  };

  const confirm = (entry: LoadEntry, model: PsModel, at: number): void => {
    const { load } = entry;
    noteListed(entry, model, at);
    entry.serverGone = false;
    const known =
      load.claimedBytes === model.sizeBytes && load.endedAt !== undefined && !entry.contextAssumed;
    if (known) {
      return;
    }
    load.endedAt ??= at;
    load.model = model.name;
    if (entry.contextAssumed || load.contextLength === undefined) {
      // Runners of v0.12 to v0.24 do not say in their arguments what they were started with.
      load.contextLength = model.contextLength ?? load.contextLength;
      entry.contextAssumed = false;
      explain(entry);
    }
    load.claimedBytes = model.sizeBytes;
    load.claimedDeviceBytes = model.deviceBytes;
    finishTiming(entry);
    save(load);
  };

  /** Where the answer does not say how long its model took, what was seen of it has to do. */
  const finishTiming = ({ load }: LoadEntry): void => {
    const exchange = load.exchangeId === undefined ? undefined : requests.find(load.exchangeId)?.exchange;
    if (load.loadMs !== undefined || exchange === undefined || load.endedAt === undefined) {
      return;
    }
    const firstTokenAt = "firstTokenAt" in exchange.state ? exchange.state.firstTokenAt : undefined;
    const readyAt = Math.min(load.endedAt, firstTokenAt ?? load.endedAt);
    if (readyAt > exchange.startedAt && exchange.usage?.loadMs === undefined && "endedAt" in exchange.state) {
      load.loadMs = readyAt - exchange.startedAt;
    }
  };

  const goneOfLate = (at: number): EndedEntry[] =>
    book.goneSilently().filter(({ departure }) => {
      const since = at - departure.at;
      return since >= LIST_DELAY_MS && since < LIST_TELLS_MS;
    });

  /** Someone waits for it: it may be there again before its process has been seen. */
  const isAwaited = (model: string): boolean =>
    requests
      .all()
      .some(
        ({ exchange }) =>
          !("endedAt" in exchange.state) && exchange.model !== undefined && sameModel(exchange.model, model),
      );

  const exchangeFailed = (exchange: Exchange, model: string, at: number): void => {
    if (serverSign(exchange)) {
      book.serverLost(at);
      return;
    }
    const sign = crashSign(exchange);
    if (sign === undefined) {
      return;
    }
    const entry = runnerOf(model);
    if (entry !== undefined) {
      entry.crash = { at, sign };
    }
    const gone = book.endedOf(model);
    if (
      gone !== undefined &&
      Math.abs(at - gone.departure.at) < CRASH_MS &&
      (entry === undefined || sign === "died")
    ) {
      book.diedOf(gone, sign);
    }
  };

  return {
    processesSeen(processes, at) {
      const keys = new Set(processes.map(processKey));
      // What is gone first: a reload ends one runner to start the next, and the next one's cause is the difference.
      for (const entry of entries()) {
        if (entry.process !== undefined && !keys.has(processKey(entry.process))) {
          finish(entry, at, scannedAt ?? at);
        }
      }
      for (const process of processes) {
        const key = processKey(process);
        const entry = book.get(key);
        if (entry === undefined) {
          begin.fromProcess(process, at, scannedAt);
        } else if (!entry.environmentKnown && process.settings.environment !== undefined) {
          entry.environmentKnown = true;
          entry.load.settings = process.settings;
          explain(entry);
          save(entry.load);
        }
      }
      scannedAt = at;
    },

    awaitsList: (at) =>
      goneOfLate(at).some(({ departure }) => (listedAt ?? 0) < departure.at + LIST_DELAY_MS),

    modelsSeen(models, at) {
      listed = models;
      for (const gone of goneOfLate(at)) {
        const { model } = gone.load;
        if (models.some(({ name }) => sameModel(name, model)) && !isAwaited(model)) book.diedOf(gone, "died");
      }
      for (const entry of entries()) {
        const model = models.find(({ name }) => sameModel(name, entry.load.model));
        const justReady = at - (entry.load.endedAt ?? 0) < LIST_DELAY_MS;
        if (
          entry.process === undefined &&
          !justReady &&
          (model === undefined || isAnother(entry, model, at))
        ) {
          finish(entry, at, listedAt ?? at);
        }
      }
      const runnersAreVisible = entries().some((entry) => entry.process !== undefined);
      for (const model of models) {
        const entry = named(model, models);
        if (entry !== undefined) {
          confirm(entry, model, at);
        } else if (!runnersAreVisible && book.endedOf(model.name)?.process === undefined) {
          // A runner that was seen will be seen again: until then this is the list's memory of one that died.
          begin.fromList(model, at, listedAt);
        }
      }
      listedAt = at;
    },

    sampled(sample) {
      for (const runner of sample.runners) {
        const entry = entries().find((candidate) => candidate.process?.pid === runner.pid);
        if (entry === undefined) {
          continue;
        }
        runner.model = entry.load.model;
        entry.latest = runner;
        if (entry.load.measured !== undefined) {
          continue;
        }
        entry.readings = [...entry.readings, { ...runner, takenAt: sample.takenAt }].slice(-MOST_READINGS);
        const exchange =
          entry.load.exchangeId === undefined ? undefined : requests.find(entry.load.exchangeId);
        const awaited = exchange !== undefined && !("endedAt" in exchange.exchange.state);
        const steady = entry.steady.feed(runner, sample.takenAt);
        if (!awaited && entry.load.endedAt !== undefined && steady) {
          measure(entry, runner);
        }
      }
    },

    exchangeEnded(exchange, at) {
      const { model } = exchange;
      if (model === undefined) {
        return;
      }
      exchangeFailed(exchange, model, at);
      if (exchange.operation === "unload") {
        const entry = openOf(model);
        if (entry !== undefined) {
          entry.unloadAsked = true;
        }
        return;
      }
      const loadMs = waitedMs(exchange);
      if (loadMs !== undefined && !warm.isLong(model, loadMs)) {
        warm.learn(model, loadMs);
      } else if (loadMs !== undefined && isUnseenReload(exchange, model)) {
        begin.fromAnswer(exchange, model, loadMs);
      }
      const entry = entries().find(({ load }) => load.exchangeId === exchange.id);
      if (entry !== undefined) {
        loadEnded(entry, exchange);
      }
      const server = runnerOf(model);
      if (server !== undefined && exchange.state.phase !== "failed") {
        noteUse(server, { exchange, request: requests.find(exchange.id), at });
      }
    },

    serverLost: book.serverLost,

    loadedModels() {
      return listed.map((model) => {
        const entry = openOf(model.name);
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
      const runner = runnerOf(model)?.load.contextLength;
      return runner ?? listed.find((entry) => sameModel(entry.name, model))?.contextLength;
    },

    isLoaded: (model) => listed.some((entry) => sameModel(entry.name, model)),

    willLoad(model, options) {
      const entry = openOf(model);
      if (entry === undefined || !listed.some(({ name }) => sameModel(name, model))) {
        return true;
      }
      const context = options["num_ctx"];
      return (
        (typeof context === "number" && context !== entry.load.contextLength) ||
        askedDifferences(entry.options, options).length > 0
      );
    },

    modelOfProcess: (pid) => entries().find((entry) => entry.process?.pid === pid)?.load.model,
  };

  function measure(entry: LoadEntry, runner: RunnerSample): void {
    entry.load.measured = { ...runner, model: entry.load.model };
    entry.readings = [];
    save(entry.load);
  }

  function loadEnded(entry: LoadEntry, exchange: Exchange): void {
    const { load } = entry;
    const loadMs = waitedMs(exchange);
    const firstTokenAt = "firstTokenAt" in exchange.state ? exchange.state.firstTokenAt : undefined;
    const endedAt =
      loadMs === undefined ? (load.endedAt ?? firstTokenAt) : Math.round(begunAt(exchange) + loadMs);
    if (endedAt === undefined) {
      return;
    }
    load.endedAt = endedAt;
    load.loadMs = loadMs ?? load.loadMs;
    finishTiming(entry);
    explain(entry);
    const reading = load.measured === undefined ? measureOf(entry.readings, endedAt) : undefined;
    if (reading === undefined) {
      save(load);
    } else {
      measure(entry, reading);
    }
  }
}
