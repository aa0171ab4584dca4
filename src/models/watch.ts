/**
 * Joins the exchanges, the runner processes and what Ollama lists: fills in what an exchange cannot know by itself
 * (allocated context, what it is waiting for) and keeps the loads.
 */
import type { OllamaClient, PsModel } from "../ollama/client.ts";
import { computes } from "../ollama/operations.ts";
import type {
  Exchange,
  ExchangeObserver,
  Load,
  LoadedModel,
  MemorySample,
  Notice,
  RequestFacts,
  RunnerProcess,
  Stage,
} from "../types.ts";
import { createBlobNames } from "./blobNames.ts";
import { createLoads } from "./loads.ts";
import { canonicalName, sameModel } from "./names.ts";
import { createReloadCounts, type ReloadCount } from "./reloadCounts.ts";
import { reloadNotice, type ReloadWords } from "./reloadNotice.ts";
import { createRequests } from "./requests.ts";

export interface ModelWatch {
  observer: ExchangeObserver;
  modelsSeen(models: PsModel[]): void;
  sampled(sample: MemorySample, processes: readonly RunnerProcess[]): void;
  /** Ollama does not answer, or another version does. */
  upstreamLost(): void;
  /** Since the start, by cause. */
  reloads(): ReloadCount[];
  loadedModels(): LoadedModel[];
  /** Whether this request makes Ollama start a runner. */
  willLoad(exchange: Exchange, facts: RequestFacts): boolean;
  /** Whether a runner reads its weights from mapped memory now: it is not all on a GPU, and not idle. */
  weightsInUse(process: RunnerProcess): boolean;
}

/** A runner that answered nothing for this long can lose its mapped weights without anybody waiting for it. */
const IDLE_MS = 5 * 60_000;
/** Exchanges that ended before their model's context was known: filled in when it is, at most this many. */
const MAX_LATE = 32;

export function createModelWatch(parts: {
  client: OllamaClient;
  now: () => number;
  newId: () => string;
  live: () => readonly Exchange[];
  saveLoad(load: Load): void;
  /** A waiting exchange is now thought to wait for something else. */
  stageChanged(exchange: Exchange): void;
  /** An exchange that has ended has learned something since. */
  completed(exchange: Exchange): void;
  /** Look at processes and at `/api/ps` soon: a load is likely under way. */
  hurry(): void;
  /** How to word what is said of a reload. */
  reloadWords(): ReloadWords;
}): ModelWatch {
  const blobs = createBlobNames(parts.client);
  const requests = createRequests();
  const counts = createReloadCounts();
  const toldOf = new Map<Exchange, string>();
  const loads = createLoads({
    newId: parts.newId,
    save: parts.saveLoad,
    requests,
    blobs,
    explained(load, facts) {
      counts.explained(load);
      const told = load.exchangeId === undefined ? undefined : requests.find(load.exchangeId)?.exchange;
      const before = [...toldOf].find(([, loadId]) => loadId === load.id)?.[0];
      if (before !== undefined && before !== told) {
        // Another request proved to be the cause.
        toldOf.delete(before);
        change(
          before,
          before.notices.filter(({ kind }) => kind !== "reloaded"),
        );
      }
      if (told !== undefined) {
        toldOf.set(told, load.id);
        tell(told, reloadNotice(load, facts, parts.reloadWords()));
        if (toldOf.size > MAX_LATE) {
          toldOf.delete([...toldOf.keys()][0] ?? told);
        }
      }
    },
  });
  /** Being told of its end: whoever keeps it comes after. */
  let ending: Exchange | undefined;

  /** Says it once: what was said before is said better now. */
  const tell = (exchange: Exchange, notice: Notice): void => {
    const before = exchange.notices.find(({ kind }) => kind === notice.kind);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(notice)) {
      return;
    }
    change(exchange, [...exchange.notices.filter(({ kind }) => kind !== notice.kind), notice]);
  };
  const change = (exchange: Exchange, notices: Notice[]): void => {
    exchange.notices = notices;
    if (exchange === ending) {
      return;
    }
    if ("endedAt" in exchange.state) {
      parts.completed(exchange);
    } else {
      parts.stageChanged(exchange);
    }
  };
  let late: Exchange[] = [];
  const usedAt = new Map<string, number>();

  const fillIn = (exchange: Exchange): void => {
    if (exchange.model === undefined || !computes(exchange.operation)) {
      return;
    }
    exchange.contextLength = loads.contextLengthOf(exchange.model);
    const { inputTokens, outputTokens } = exchange.usage ?? {};
    if (exchange.operation !== "embed" && inputTokens !== undefined) {
      exchange.contextTokensUsed = inputTokens + (outputTokens ?? 0);
    }
  };

  const fillInLate = (): void => {
    const waiting = late;
    late = [];
    for (const exchange of waiting) {
      fillIn(exchange);
      if (exchange.contextLength !== undefined) {
        parts.completed(exchange);
      }
    }
  };

  const guessStages = (): void => {
    const live = parts.live();
    for (const exchange of live) {
      if (exchange.state.phase === "waiting" && computes(exchange.operation)) {
        const stage = stageOf(exchange, live, loads.isLoaded);
        if (stage !== exchange.state.stage) {
          exchange.state = { phase: "waiting", stage };
          parts.stageChanged(exchange);
        }
      }
    }
  };

  return {
    observer: {
      name: "models",
      onRequest(exchange, facts) {
        requests.read(exchange, facts);
        guessStages();
        if (exchange.model !== undefined && loads.willLoad(exchange.model, facts.runnerOptions ?? {})) {
          parts.hurry();
        }
      },
      onUpdate(exchange) {
        if (exchange.contextLength === undefined) {
          fillIn(exchange);
        }
      },
      onEnd(exchange) {
        fillIn(exchange);
        if (exchange.model !== undefined && exchange.status === 200) {
          usedAt.set(canonicalName(exchange.model), parts.now());
        }
        ending = exchange;
        loads.exchangeEnded(exchange, parts.now());
        ending = undefined;
        if (computes(exchange.operation) && exchange.contextLength === undefined && exchange.status === 200) {
          late = [...late, exchange].slice(-MAX_LATE);
          parts.hurry();
        }
      },
    },
    modelsSeen(models) {
      blobs.learn(models);
      loads.modelsSeen(models, parts.now());
      fillInLate();
      guessStages();
    },
    sampled(sample, processes) {
      loads.processesSeen(processes, sample.takenAt);
      loads.sampled(sample);
      if (loads.awaitsList(sample.takenAt)) parts.hurry();
      guessStages();
    },
    upstreamLost: () => loads.serverLost(parts.now()),
    reloads: counts.list,
    loadedModels: loads.loadedModels,
    willLoad: ({ model }, { runnerOptions }) =>
      model !== undefined && loads.willLoad(model, runnerOptions ?? {}),
    weightsInUse(process) {
      const model = loads.modelOfProcess(process.pid);
      if (model === undefined) {
        return true;
      }
      const listed = loads.loadedModels().find((entry) => sameModel(entry.name, model));
      const allOnDevice =
        listed?.claimedBytes !== undefined && listed.claimedBytes === listed.claimedDeviceBytes;
      const busy = parts
        .live()
        .some((exchange) => exchange.model !== undefined && sameModel(exchange.model, model));
      const idleMs = parts.now() - (usedAt.get(canonicalName(model)) ?? parts.now());
      return !allOnDevice && (busy || idleMs < IDLE_MS);
    },
  };
}

/** A guess from outside: Ollama says nothing at all until the first token. */
function stageOf(
  exchange: Exchange,
  live: readonly Exchange[],
  isLoaded: (model: string) => boolean,
): Stage | undefined {
  const { model } = exchange;
  if (model === undefined) {
    return undefined;
  }
  if (!isLoaded(model)) {
    return "loading";
  }
  const ahead = live.some(
    (other) =>
      other.id !== exchange.id &&
      other.startedAt <= exchange.startedAt &&
      other.model !== undefined &&
      sameModel(other.model, model) &&
      (other.state.phase === "streaming" || other.state.phase === "waiting"),
  );
  return ahead ? "queued" : "prefill";
}
