/** The runners that are there and those that were, and why each was started: asked again whenever more is known. */
import type { Exchange, Load, RunnerProcess } from "../types.ts";
import { CRASH_MS } from "./crashSigns.ts";
import { loadCause } from "./loadCause.ts";
import { expiryOf, heldBytesOf, type EndedEntry, type LoadEntry } from "./loadEntry.ts";
import { canonicalName, sameModel } from "./names.ts";
import { differencesOf, type StartedWith } from "./optionDifferences.ts";
import type { ReloadFacts } from "./reloadNotice.ts";
import { clientOf, culpritOf, type Requests, type RunnerRequest } from "./requests.ts";
import { createSteadyWatch } from "./steady.ts";

export interface LoadBookParts {
  newId: () => string;
  save: (load: Load) => void;
  requests: Requests;
  /** A reload's cause is known, or known better: whoever waited for it can be told. */
  explained?: (load: Load, facts: ReloadFacts) => void;
}

type Known = Pick<LoadEntry, "window"> &
  Partial<Pick<LoadEntry, "process" | "contextAssumed" | "foundRunning">>;

export interface LoadBook {
  entries(): LoadEntry[];
  get(key: string): LoadEntry | undefined;
  openOf(model: string): LoadEntry | undefined;
  endedOf(model: string): EndedEntry | undefined;
  /** By what name these weights went the last time. */
  modelOf(digest: string | undefined): string | undefined;
  begin(key: string, facts: Omit<Load, "id" | "cause">, known: Known): LoadEntry;
  /** The same runner is known by another sign from now on. */
  rename(entry: LoadEntry, key: string): void;
  explain(entry: LoadEntry): void;
  /** It is gone: it was there at `lastSeenAt`, and is not at `at`. */
  finish(entry: LoadEntry, at: number, lastSeenAt: number): void;
  /** Seen as a process, gone without a reason that is known, and not there again. */
  goneSilently(): EndedEntry[];
  /** What can be told of an ended one only afterwards. */
  diedOf(gone: EndedEntry, sign: "died" | "perhaps"): void;
  serverLost(at: number): void;
  culpritOf(window: LoadEntry["window"], load: CulpritOfLoad): RunnerRequest | undefined;
}

/** `isModel` where it may go by several names. */
interface CulpritOfLoad {
  id?: string;
  model?: string;
  isModel?: (name: string) => boolean;
  contextLength?: number;
}

/** Ended loads that are remembered to tell the next one's cause. */
const REMEMBERED_LOADS = 50;
/** Runners go with their Ollama; either can be noticed first. */
const SERVER_MS = 15_000;

/** `tookLong`: this answer waited longer for its model than one does whose model is there. */
export function createLoadBook(parts: LoadBookParts, tookLong: (exchange: Exchange) => boolean): LoadBook {
  const { requests, save } = parts;
  const open = new Map<string, LoadEntry>();
  const ended: EndedEntry[] = [];
  const usualContexts = new Map<string, number>();
  let serverLostAt = Number.NEGATIVE_INFINITY;

  const entries = (): LoadEntry[] => [...open.values()];
  const keyOf = (entry: LoadEntry): string => [...open].find(([, other]) => other === entry)?.[0] ?? "";
  /** A request makes Ollama load once: those that did so already had nothing to do with this one. */
  const findCulprit: LoadBook["culpritOf"] = (window, { id, model, isModel, contextLength }) => {
    const others = [...ended, ...open.values()].filter(({ load }) => load.id !== id);
    const taken = new Set(others.map(({ load }) => load.exchangeId));
    return culpritOf(
      requests.all().filter(({ exchange }) => !taken.has(exchange.id)),
      {
        ...window,
        contextLength,
        isModel: isModel ?? ((name) => model === undefined || sameModel(name, model)),
      },
      { usualContext: model === undefined ? undefined : usualContexts.get(canonicalName(model)), tookLong },
    );
  };

  /** What is known now decides; more may be known later, so this is asked again whenever something is learned. */
  const explain = (entry: LoadEntry): void => {
    const { load, earlier } = entry;
    const settled = load.exchangeId !== undefined && (entry.contextAssumed || load.loadMs !== undefined);
    const culprit =
      settled && load.exchangeId !== undefined
        ? requests.find(load.exchangeId)
        : findCulprit(entry.window, {
            id: load.id,
            model: isNamed(load.model) ? load.model : undefined,
            contextLength: entry.contextAssumed ? undefined : load.contextLength,
          });
    if (culprit !== undefined) {
      load.exchangeId = culprit.exchange.id;
      load.client = clientOf(culprit.exchange);
      entry.options = culprit.options;
      entry.askedAt = culprit.exchange.startedAt;
      entry.dialect = culprit.exchange.dialect;
      if (culprit.keepAliveSeconds !== undefined) {
        entry.keepAliveMs ??= culprit.keepAliveSeconds * 1000;
      }
      if (
        culprit.options["num_ctx"] === undefined &&
        load.contextLength !== undefined &&
        !entry.contextAssumed
      ) {
        usualContexts.set(canonicalName(load.model), load.contextLength);
      }
    }
    const differences = earlier === undefined ? [] : differencesOf(startedWith(earlier), startedWith(entry));
    load.cause = loadCause({
      startedAt: load.startedAt,
      askedAt: entry.askedAt,
      earlier,
      differences,
      otherServer: otherParents(earlier?.process, entry.process),
      otherStartsAt: [...ended, ...open.values()]
        .filter((other) => !sameWeights(other, entry))
        .map((other) => other.load.startedAt),
      foundRunning: entry.foundRunning && entry.askedAt === undefined,
    });
    load.differences = differences.length > 0 ? differences : undefined;
    load.previousClient = load.cause === "options" ? earlier?.load.client : undefined;
    load.lostBytes = earlier?.heldBytes;
    if (earlier !== undefined) {
      parts.explained?.(load, {
        dialects: [earlier.dialect, entry.dialect].filter((dialect) => dialect !== undefined),
        asksNone: [earlier, entry].some(
          ({ options }) => options !== undefined && options["num_ctx"] === undefined,
        ),
      });
    }
  };

  const begin: LoadBook["begin"] = (key, facts, known) => {
    const entry: LoadEntry = {
      load: { id: parts.newId(), cause: "unknown", ...facts },
      earlier: ended.findLast(
        (other) => sameWeights(other, { load: facts, process: known.process }) && !wasBrokenOff(other),
      ),
      environmentKnown: known.process?.settings.environment !== undefined,
      steady: createSteadyWatch(),
      readings: [],
      contextAssumed: false,
      foundRunning: false,
      unloadAsked: false,
      serverGone: false,
      usedTokens: new Map(),
      ...known,
    };
    // Only the latest of the past matters: a chain of all would never be let go.
    if (entry.earlier !== undefined) {
      entry.earlier.earlier = undefined;
    }
    open.set(key, entry);
    explain(entry);
    save(entry.load);
    return entry;
  };

  /** Nobody waited for it to become ready, so it has replaced nothing. */
  const wasBrokenOff = ({ load }: LoadEntry): boolean =>
    load.endedAt === undefined &&
    load.exchangeId !== undefined &&
    requests.find(load.exchangeId)?.exchange.state.phase === "cancelled";

  const finish: LoadBook["finish"] = (entry, at, lastSeenAt) => {
    open.delete(keyOf(entry));
    entry.load.unloadedAt = at;
    // Whoever keeps it adds the estimate, which says what a token of state takes.
    save(entry.load);
    ended.push({
      ...entry,
      readings: [],
      departure: {
        at,
        lastSeenAt,
        expiresAt: expiryOf(entry),
        unloaded: entry.unloadAsked,
        crashed: crashOf(entry, at, lastSeenAt),
        serverGone: entry.serverGone || at - serverLostAt < SERVER_MS,
      },
      heldBytes: heldBytesOf(entry),
    });
    if (ended.length > REMEMBERED_LOADS) {
      ended.shift();
    }
  };

  return {
    entries,
    get: (key) => open.get(key),
    openOf: (model) => entries().findLast((entry) => sameModel(entry.load.model, model)),
    endedOf: (model) => ended.findLast((entry) => sameModel(entry.load.model, model)),
    modelOf: (digest) =>
      digest === undefined
        ? undefined
        : [...ended, ...open.values()].findLast(({ load }) => load.digest === digest && isNamed(load.model))
            ?.load.model,
    begin,
    rename(entry, key) {
      open.delete(keyOf(entry));
      open.set(key, entry);
    },
    explain,
    finish,
    goneSilently: () =>
      ended.filter(
        (entry) =>
          entry.process !== undefined &&
          !entry.departure.unloaded &&
          !entry.departure.serverGone &&
          entry.departure.crashed !== "died" &&
          entries().every((other) => !sameWeights(other, entry)),
      ),
    diedOf(gone, sign) {
      gone.departure.crashed = sign;
      for (const entry of entries().filter(({ earlier }) => earlier === gone)) {
        explain(entry);
        save(entry.load);
      }
    },
    serverLost(at) {
      serverLostAt = at;
      for (const entry of open.values()) {
        entry.serverGone = true;
      }
      for (const entry of ended) {
        entry.departure.serverGone ||= at - entry.departure.at < SERVER_MS;
      }
    },
    culpritOf: findCulprit,
  };
}

/** Ollama keeps one runner for them, whatever names they have. */
function sameWeights(one: Weights, other: Weights): boolean {
  const digest = one.process?.blobDigest;
  return (
    sameModel(one.load.model, other.load.model) ||
    (digest !== undefined && digest === other.process?.blobDigest)
  );
}

interface Weights {
  load: Pick<Load, "model">;
  process?: RunnerProcess;
}

/** A runner whose model nobody has named yet goes by its digest. */
function isNamed(model: string): boolean {
  return !model.startsWith("sha256:") && model !== "unknown";
}

/** A runner that is seen is gone soon after it died; of one that is not, the next load tells. */
function crashOf(
  { crash, process }: LoadEntry,
  at: number,
  lastSeenAt: number,
): "died" | "perhaps" | undefined {
  const recent = crash !== undefined && at - crash.at < CRASH_MS + (at - lastSeenAt);
  return process === undefined || recent ? crash?.sign : undefined;
}

function startedWith({ load, options }: LoadEntry): StartedWith {
  return { settings: load.settings, contextLength: load.contextLength, options };
}

/** An Ollama that is started again has another process, and so have the parents of its runners. */
function otherParents(earlier: RunnerProcess | undefined, later: RunnerProcess | undefined): boolean {
  return (
    earlier?.parentPid !== undefined &&
    later?.parentPid !== undefined &&
    earlier.parentPid !== later.parentPid
  );
}
