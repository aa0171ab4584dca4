/**
 * The latest requests that can make Ollama start a runner, with what they asked for: a load is seen only once it is
 * under way, and a small model's load is over before anyone looks.
 */
import { loadsModel } from "../ollama/operations.ts";
import type { Exchange, RequestFacts } from "../types.ts";

export interface RunnerRequest {
  exchange: Exchange;
  /** Options a runner is started with, as sent: `num_ctx`, `num_gpu`, `shift`, … */
  options: Readonly<Record<string, number | boolean>>;
  /** Seconds; negative is for ever. */
  keepAliveSeconds?: number;
}

export interface Requests {
  read(exchange: Exchange, facts: RequestFacts): void;
  find(id: string): RunnerRequest | undefined;
  /** Oldest first. */
  all(): readonly RunnerRequest[];
}

const REMEMBERED = 200;

export function createRequests(): Requests {
  let requests: RunnerRequest[] = [];
  return {
    read(exchange, { runnerOptions = {}, keepAliveSeconds }) {
      if (!loadsModel(exchange.operation)) {
        return;
      }
      requests.push({
        exchange,
        options: runnerOptions,
        ...(keepAliveSeconds !== undefined && { keepAliveSeconds }),
      });
      if (requests.length > REMEMBERED) {
        const oldest = requests.findIndex(({ exchange }) => "endedAt" in exchange.state);
        requests = requests.toSpliced(Math.max(0, oldest), 1);
      }
    },
    find: (id) => requests.findLast(({ exchange }) => exchange.id === id),
    all: () => requests,
  };
}

/** Who sent it, in the shortest words that tell one client from another. */
export function clientOf({ client }: Exchange): string | undefined {
  return client.name ?? client.userAgent ?? client.address;
}

/** A runner starts a moment after the request that needs it; clocks of `/proc` are coarse. */
const SLACK_MS = 1500;

/**
 * The request that made Ollama start this runner: one that was waiting for an answer then, for this model if the model
 * is known. Of several the oldest whose context is the one the runner got: the others wait behind it, or for their turn
 * on the runner before. `usualContext`: what Ollama gives this model when none is asked for, as far as it has been seen.
 */
export function culpritOf(
  requests: readonly RunnerRequest[],
  load: { from: number; to: number; isModel: (name: string) => boolean; contextLength?: number },
  known: { usualContext?: number; tookLong(exchange: Exchange): boolean },
): RunnerRequest | undefined {
  const waiting = requests.filter(
    ({ exchange }) =>
      (exchange.model === undefined ? load.isModel("") : load.isModel(exchange.model)) &&
      exchange.startedAt <= load.to + SLACK_MS &&
      waitedUntil(exchange, known.tookLong) >= load.from,
  );
  const given = load.contextLength;
  if (given === undefined) {
    return waiting[0];
  }
  const asked = ({ options }: RunnerRequest): number | undefined => {
    const context = options["num_ctx"];
    return typeof context === "number" ? context : known.usualContext;
  };
  return (
    waiting.find((request) => asked(request) === given) ??
    waiting.find((request) => asked(request) === undefined) ??
    // Clipped to what the model was trained for.
    waiting.find((request) => (asked(request) ?? 0) > given) ??
    waiting[0]
  );
}

/** Until when a runner can have been started for it. */
function waitedUntil(exchange: Exchange, tookLong: (exchange: Exchange) => boolean): number {
  const { state, usage } = exchange;
  if (usage?.loadMs !== undefined) {
    return tookLong(exchange) ? exchange.startedAt + usage.loadMs : Number.NEGATIVE_INFINITY;
  }
  if ("firstTokenAt" in state && state.firstTokenAt !== undefined) {
    return state.firstTokenAt;
  }
  return "endedAt" in state ? state.endedAt : Number.POSITIVE_INFINITY;
}
