/**
 * The guard: acts on a request whose load would make the machine swap, when the user has turned it on. It never acts on
 * a guess about an unknown architecture, on readings older than 5 s, or on memory that is not this machine's.
 */
import type {
  Exchange,
  ExchangeObserver,
  GuardDecision,
  LoadedModel,
  Log,
  Notice,
  RequestFacts,
} from "../../types.ts";
import { createCaps } from "./caps.ts";
import { decide, wouldSwap, type GuardMode } from "./decide.ts";
import { createForesight, type ForesightParts } from "./foresight.ts";
import { keptText } from "./words.ts";

export interface GuardParts extends ForesightParts {
  mode: GuardMode;
  now: () => number;
  log: Log;
  ollamaVersion: () => string | undefined;
  /** An exchange in progress has a notice more. */
  noticed(exchange: Exchange): void;
}

export interface LoadGuard {
  /** Whether requests are held back to be judged. */
  holds: boolean;
  /** For the modes that only look on. */
  observer: ExchangeObserver;
  judge(exchange: Exchange, facts: RequestFacts, overridden: boolean): Promise<GuardDecision>;
  unjudged(exchange: Exchange, reason: string): void;
  modelsSeen(models: readonly LoadedModel[]): void;
}

const PASS: GuardDecision = { act: "pass" };
/** A request is held no longer than this for a judgement; then it goes on. */
const LONGEST_JUDGEMENT_MS = 4000;
/** Ollama answers what is loaded within milliseconds, or it is busy with just that. */
const LONGEST_QUESTION_MS = 1500;

/** Judges at most 4 s; what cannot be judged by then passes, and a notice says so. */
export function createGuard(parts: GuardParts): LoadGuard {
  const { mode, now, log } = parts;
  const holds = mode === "refuse" || mode === "cap";
  const caps = createCaps(parts.canonicalName);
  const foresight = createForesight({
    ...parts,
    settingsFor: (query) => within(LONGEST_QUESTION_MS, parts.settingsFor(query), undefined),
    listNow: () => within(LONGEST_QUESTION_MS, parts.listNow(), parts.loadedModels()),
  });
  const capNeeds = new WeakMap<GuardDecision, number>();
  /** Loads are judged one after the other: each must count what the one before it will take. */
  let turn: Promise<unknown> = Promise.resolve();

  const note = (exchange: Exchange, notice: Notice): void => {
    exchange.notices.push(notice);
    parts.noticed(exchange);
  };

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = turn.then(work);
    turn = result.catch(() => {});
    return result;
  };

  const look = async (exchange: Exchange, facts: RequestFacts): Promise<void> => {
    const foreseen = await foresight.find(exchange, facts);
    foresight.admitted(exchange, facts);
    if (foreseen !== undefined) {
      const prefix = mode === "observe" ? "Observed only: " : "";
      const notice = wouldSwap(foreseen, parts.ollamaVersion());
      note(exchange, { ...notice, message: `${prefix}${notice.message ?? ""}` });
    }
  };

  /** A cap that holds needs no judgement: the same figure again, so that nothing is loaded anew. */
  const keptCap = (exchange: Exchange, facts: RequestFacts): GuardDecision | undefined => {
    const asked = facts.requestedContextLength;
    const kept = exchange.model === undefined ? undefined : caps.of(parts.canonicalName(exchange.model));
    if (mode !== "cap" || exchange.dialect !== "ollama" || asked === undefined || kept === undefined) {
      return undefined;
    }
    return asked <= kept || exchange.operation === "unload"
      ? undefined
      : {
          act: "cap",
          contextLength: kept,
          notice: {
            kind: "guard-acted",
            message: keptText(exchange.model ?? "", asked, kept),
            contextLength: kept,
          },
        };
  };

  const judgeLoad = async (
    exchange: Exchange,
    facts: RequestFacts,
    overridden: boolean,
  ): Promise<GuardDecision> => {
    // Whoever waited for its turn may find its cap set, or its model loaded, by the one before.
    const kept = overridden ? undefined : keptCap(exchange, facts);
    if (kept !== undefined) {
      return kept;
    }
    const foreseen = await foresight.find(exchange, facts);
    if (foreseen === undefined || (mode !== "refuse" && mode !== "cap")) {
      return PASS;
    }
    const decision = decide(mode, foreseen, {
      explicitContextLength: facts.requestedContextLength,
      overridden,
      ollamaVersion: parts.ollamaVersion(),
    });
    if (decision.act === "note") {
      note(exchange, decision.notice);
      return PASS;
    }
    if (decision.act === "cap") {
      caps.set(parts.canonicalName(foreseen.model), decision.contextLength, now());
      capNeeds.set(decision, foreseen.needAt(decision.contextLength));
    }
    log.info(`guard: ${decision.act} ${foreseen.model.slice(0, 200)}`, { shortBytes: foreseen.shortBytes });
    return decision;
  };

  return {
    holds,
    observer: {
      name: "guard",
      onRequest(exchange, facts) {
        if (holds || mode === "off") {
          return;
        }
        if (foresight.isServed(exchange, facts)) {
          foresight.admitted(exchange, facts);
          return;
        }
        void inTurn(() => look(exchange, facts)).catch((error: unknown) =>
          log.warn("a load could not be judged", { error: String(error) }),
        );
      },
    },
    async judge(exchange, facts, overridden) {
      if (facts.unread !== undefined && facts.unread !== "cut") {
        this.unjudged(exchange, `its body could not be read (${facts.unread})`);
        return PASS;
      }
      const admit = (decision: GuardDecision): GuardDecision => {
        if (decision.act !== "refuse") {
          foresight.admitted(
            exchange,
            facts,
            decision.act === "cap"
              ? { contextLength: decision.contextLength, needBytes: capNeeds.get(decision) }
              : undefined,
          );
        }
        return decision;
      };
      const kept = overridden ? undefined : keptCap(exchange, facts);
      if (kept !== undefined || foresight.isServed(exchange, facts)) {
        return admit(kept ?? PASS);
      }
      let late = false;
      const judged = inTurn(async () =>
        late ? PASS : admit(await judgeLoad(exchange, facts, overridden)),
      ).catch((error: unknown) => {
        log.warn("a load could not be judged; the request goes on", { error: String(error) });
        return PASS;
      });
      const decision = await within(LONGEST_JUDGEMENT_MS, judged, undefined);
      if (decision === undefined) {
        late = true;
        this.unjudged(exchange, "it could not be judged in time");
      }
      return decision ?? PASS;
    },
    unjudged(exchange, reason) {
      exchange.notices.push({ kind: "guard-acted", message: `The guard let this pass unjudged: ${reason}.` });
      log.info("guard: a request passed unjudged", { reason });
    },
    modelsSeen(models) {
      caps.modelsSeen(models, now());
      foresight.modelsSeen(models, now());
    },
  };
}

/** The value, or `otherwise` when it takes too long or fails. */
function within<Value>(ms: number, promise: Promise<Value>, otherwise: Value): Promise<Value> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(otherwise), ms);
    const settle = (value: Value): void => {
      clearTimeout(timer);
      resolve(value);
    };
    promise.then(settle, () => settle(otherwise));
  });
}
