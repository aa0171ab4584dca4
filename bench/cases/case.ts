/** What a case is made of, and what it finds at hand. */
import type { DriverCommands } from "../driver.ts";
import type { Helper } from "../machine/helper.ts";
import type { Proc } from "../machine/proc.ts";
import type { Cleanup } from "../machine/cleanup.ts";
import type { MockCommands } from "../mock.ts";
import type { Metric, Round } from "../report/summary.ts";
import type { Random } from "../report/random.ts";
import type { Target } from "../targets/target.ts";
import type { Dialect } from "../wire/request.ts";

/** How much is measured: a full run, a quick one, or a warm-up. */
export interface Scale {
  rounds: number;
  /** Requests to each target for the time to first byte. */
  requestCount: number;
  streamSeconds: number;
  throughputMs: number;
  burstCount: number;
  idleSeconds: number;
}

export interface Bench {
  driver: Helper<DriverCommands>;
  /** A second one, for load whose own work must not delay what the first one times. */
  sideDriver: Helper<DriverCommands>;
  mock: Helper<MockCommands>;
  upstreamPort: number;
  proc: Proc;
  random: Random;
  /** A temporary folder. */
  directory: string;
  packages?: string;
  uploadBytes: number;
  cleanup: Cleanup;
}

export interface BenchCase {
  name: string;
  title: string;
  /** How the figures come about, in a sentence or two. */
  about: string;
  dialect: Dialect;
  metrics: Metric[];
  /** Measured once a run: what it finds does not vary with the order of targets, or takes too long. */
  once?: boolean;
  /** Targets other than the bench's own, started for this case. */
  ownTargets?: (bench: Bench) => Promise<Target[]>;
  /** One round. The targets come in random order, `direct` among them. */
  measure(targets: readonly Target[], bench: Bench, scale: Scale): Promise<Round>;
}

export function emptyRound(): Round {
  return { values: new Map(), failures: new Map() };
}

/** Measures the targets one after another; one that fails does not take the others with it. */
export async function eachInTurn(
  targets: readonly Target[],
  measure: (target: Target) => Promise<Record<string, number>>,
): Promise<Round> {
  const round = emptyRound();
  for (const target of targets) {
    try {
      round.values.set(target.name, await measure(target));
    } catch (error) {
      round.failures.set(target.name, error instanceof Error ? error.message : String(error));
    }
  }
  return round;
}

/** Adds to each target but direct what it has over direct: `p50Ms` also becomes `addedP50Ms`. */
export function addDifferences(round: Round, ids: readonly string[]): Round {
  const direct = round.values.get("direct");
  for (const [name, values] of round.values) {
    for (const id of name === "direct" ? [] : ids) {
      const [own, base] = [values[id], direct?.[id]];
      if (own !== undefined && base !== undefined) {
        values[`added${id.charAt(0).toUpperCase()}${id.slice(1)}`] = own - base;
      }
    }
  }
  return round;
}
