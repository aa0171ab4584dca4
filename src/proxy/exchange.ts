/**
 * The exchanges in progress: each starts once, may change, and ends once, whatever happens. Observers are told in the
 * order they are listed; one that throws is switched off and counted, because chatting must go on without it.
 */
import type { AnswerFacts, Exchange, ExchangeObserver, ExchangeState, Log, RequestFacts } from "../types.ts";
import type { StopReason } from "./forward.ts";

export type EndState = Extract<ExchangeState, { endedAt: number }>;

export interface OpenExchange {
  readonly exchange: Exchange;
  /**
   * Now, epoch milliseconds, on the clock this exchange began with: a system clock that is set meanwhile must not make
   * a chat of a second last a day, or end before it began.
   */
  now(): number;
  /** Observers hear that it has started; whatever else they are to hear of it tells them this first. */
  begin(): void;
  requestRead(facts: RequestFacts): void;
  /** Something changed. Observers hear of it four times a second at most. */
  changed(): void;
  /** The first text of the answer has arrived. */
  firstToken(): void;
  end(state: EndState, answer?: AnswerFacts): void;
}

export interface Exchanges {
  open(exchange: Exchange, stop: (reason: StopReason) => void): OpenExchange;
  /** In progress now, oldest first. */
  live(): Exchange[];
  /** Closes one exchange as if its client had left. False when there is none of that id. */
  cancel(id: string): boolean;
  stopAll(): void;
  /** How often each observer failed, by name. */
  observerFailures(): ReadonlyMap<string, number>;
}

const UPDATE_MS = 250;

export function createExchanges(parts: {
  observers: readonly ExchangeObserver[];
  monotonic: () => number;
  log: Log;
}): Exchanges {
  const { monotonic, log } = parts;
  const live = new Map<string, { exchange: Exchange; stop: (reason: StopReason) => void }>();
  const failures = new Map<string, number>();

  const tell = (call: (observer: ExchangeObserver) => void): void => {
    for (const observer of parts.observers) {
      if (failures.has(observer.name)) {
        continue;
      }
      try {
        call(observer);
      } catch (error) {
        failures.set(observer.name, 1);
        log.error(`${observer.name} failed and is switched off; forwarding goes on`, {
          error: String(error),
        });
      }
    }
  };

  return {
    open(exchange, stop) {
      live.set(exchange.id, { exchange, stop });
      const startedMs = monotonic();
      const now = (): number => exchange.startedAt + Math.round(monotonic() - startedMs);
      let toldAt = startedMs;
      let begun = false;
      let ended = false;
      const begin = (): void => {
        if (!begun) {
          begun = true;
          tell((observer) => observer.onStart?.(exchange));
        }
      };
      return {
        exchange,
        now,
        begin,
        requestRead(facts) {
          // A client may leave while its request is judged.
          if (ended) {
            return;
          }
          begin();
          tell((observer) => observer.onRequest?.(exchange, facts));
        },
        changed() {
          if (!ended && monotonic() - toldAt >= UPDATE_MS) {
            toldAt = monotonic();
            begin();
            tell((observer) => observer.onUpdate?.(exchange));
          }
        },
        firstToken() {
          begin();
          exchange.state = { phase: "streaming", stage: "decoding", firstTokenAt: now() };
          toldAt = monotonic();
          tell((observer) => observer.onUpdate?.(exchange));
        },
        end(state, answer) {
          if (ended) {
            return;
          }
          ended = true;
          live.delete(exchange.id);
          begin();
          exchange.state = state;
          tell((observer) => observer.onEnd?.(exchange, answer));
        },
      };
    },
    live: () => [...live.values()].map((entry) => entry.exchange),
    cancel(id) {
      const entry = live.get(id);
      entry?.stop("cancelled");
      return entry !== undefined;
    },
    stopAll() {
      for (const entry of live.values()) {
        entry.stop("interrupted");
      }
    },
    observerFailures: () => failures,
  };
}
