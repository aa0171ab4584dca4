/** How a load comes to be known: a runner's process, a model that Ollama lists, or an answer that waited for its model. */
import type { PsModel } from "../ollama/client.ts";
import type { Exchange, Load, RunnerProcess } from "../types.ts";
import type { BlobNames } from "./blobNames.ts";
import type { LoadBook } from "./loadBook.ts";
import { noteListed, unlistedName, type LoadEntry } from "./loadEntry.ts";
import { canonicalName, sameModel } from "./names.ts";

export interface LoadBegin {
  /** `scannedAt`: when processes were looked for the last time; absent at the first. */
  fromProcess(process: RunnerProcess, at: number, scannedAt: number | undefined): void;
  /** `listedAt`: when Ollama listed its models the last time; absent at the first. */
  fromList(model: PsModel, at: number, listedAt: number | undefined): void;
  /** It waited so long for its model that it was loaded for it, though nobody has seen it loading. */
  fromAnswer(exchange: Exchange, model: string, loadMs: number): void;
}

export function createLoadBegin(parts: {
  book: LoadBook;
  save: (load: Load) => void;
  /** Which models' weights lie in which blob, as far as that is known. */
  blobs: Pick<BlobNames, "modelsOf" | "blobOf">;
}): LoadBegin {
  const { book, save, blobs } = parts;
  const { entries, begin, explain, finish, openOf } = book;

  const fromProcess = (process: RunnerProcess, at: number, scannedAt: number | undefined): void => {
    const key = processKey(process);
    const seenAt = process.startedAt ?? at;
    const { blobDigest } = process;
    const names = blobDigest === undefined ? [] : blobs.modelsOf(blobDigest);
    const window = { from: seenAt, to: seenAt };
    const { contextLength } = process.settings;
    const ofBlob = (digest: string | undefined) => (name: string) => blobs.blobOf(name) === digest;
    const culprit =
      (names.length > 0
        ? book.culpritOf(window, { isModel: ofBlob(blobDigest), contextLength })
        : undefined) ??
      // A model that nobody has heard of may have the same weights under a name of its own.
      book.culpritOf(window, { isModel: ofBlob(undefined), contextLength });
    // As Ollama will list it: a request may have left out the tag, or used another case.
    const asked = culprit?.exchange.model === undefined ? undefined : canonicalName(culprit.exchange.model);
    const model = asked ?? names.at(-1) ?? book.modelOf(blobDigest) ?? unlistedName(blobDigest);
    const facts = {
      // The system tells process starts to the second only; none came before the request that caused it.
      startedAt: Math.max(seenAt, culprit?.exchange.startedAt ?? seenAt),
      model,
      digest: process.blobDigest,
      exchangeId: culprit?.exchange.id,
      contextLength: process.settings.contextLength,
      parallel: process.settings.parallel,
      settings: process.settings,
    };
    const unseen = entries().find(
      (entry) => entry.process === undefined && sameModel(entry.load.model, model),
    );
    if (unseen !== undefined && seenAt <= (unseen.load.endedAt ?? at)) {
      adopt(unseen, key, process);
    } else {
      if (unseen !== undefined) {
        finish(unseen, at, scannedAt ?? at);
      }
      begin(key, facts, { process, window, foundRunning: scannedAt === undefined });
    }
  };

  /** It was known already by what Ollama lists, or by who waited for it. */
  const adopt = (entry: LoadEntry, key: string, process: RunnerProcess): void => {
    const { load } = entry;
    book.rename(entry, key);
    entry.process = process;
    load.digest = process.blobDigest ?? load.digest;
    load.contextLength = process.settings.contextLength ?? load.contextLength;
    entry.contextAssumed &&= process.settings.contextLength === undefined;
    load.parallel = process.settings.parallel;
    load.settings = process.settings;
    explain(entry);
    save(load);
  };

  const fromList = (model: PsModel, at: number, listedAt: number | undefined): void => {
    const window = { from: listedAt ?? at, to: at };
    const culprit = book.culpritOf(window, { model: model.name, contextLength: model.contextLength });
    const entry = begin(
      `listed:${canonicalName(model.name)}`,
      {
        startedAt: culprit?.exchange.startedAt ?? at,
        endedAt: at,
        model: model.name,
        digest: model.digest,
        exchangeId: culprit?.exchange.id,
        contextLength: model.contextLength,
        claimedBytes: model.sizeBytes,
        claimedDeviceBytes: model.deviceBytes,
      },
      { window, foundRunning: listedAt === undefined },
    );
    noteListed(entry, model, at);
  };

  const fromAnswer = (exchange: Exchange, model: string, loadMs: number): void => {
    const endedAt = Math.round(exchange.startedAt + loadMs);
    const previous = openOf(model);
    if (previous !== undefined) {
      finish(previous, exchange.startedAt, exchange.startedAt);
    }
    begin(
      `listed:${canonicalName(model)}`,
      {
        startedAt: exchange.startedAt,
        endedAt,
        model: canonicalName(model),
        exchangeId: exchange.id,
        contextLength: exchange.requestedContextLength,
        loadMs,
      },
      { window: { from: exchange.startedAt, to: endedAt }, contextAssumed: true },
    );
  };

  return { fromProcess, fromList, fromAnswer };
}

/** Process ids are used again; with the start time a process has its name for itself. */
export function processKey(process: RunnerProcess): string {
  return `process:${process.pid}:${process.startTicks ?? ""}`;
}
