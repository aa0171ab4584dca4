/**
 * Which runner serves a request: the loaded one if its options fit, else a new one in its place. One load at a time;
 * the others wait in line.
 */
import type { Clock } from "../clock.ts";
import type { SimulatedModel } from "./models.ts";
import { createQueue } from "./queue.ts";
import { createResidence, type Lease, type Residence } from "./residence.ts";
import { createRunner, type Runner, type RunnerOptions } from "./runner.ts";

export interface RunnerRequest {
  model: SimulatedModel;
  /** As the store spells it. */
  name: string;
  options: RunnerOptions;
  /** Milliseconds; negative is for ever. Absent: what the runner has already. */
  keepAliveMs?: number;
}

export interface Scheduler {
  /** Rejects with `QueueFullError`, or with the signal's reason; a load that is broken off is thrown away. */
  acquire(request: RunnerRequest, signal: AbortSignal): Promise<Lease>;
  /** Ends the model's runner as soon as nobody uses it. */
  unload(model: SimulatedModel): void;
  /** Its process dies at once, whoever uses it. */
  kill(model: SimulatedModel): void;
  /** With those still loading, which `/api/ps` does not show. */
  residents(): Residence[];
  close(): void;
}

export class QueueFullError extends Error {}

const MOST_LOADED_MODELS = 3;
/** `OLLAMA_MAX_QUEUE`: requests that need a load. */
const LONGEST_LOAD_QUEUE = 512;
const WARM_LOAD_MS = 1.6;
const LOAD_STEPS = 20;

/** Starting the process, then reading the file: v0.33 took 1.5 s for 235 MiB from the page cache. */
function loadMs(model: SimulatedModel): number {
  return 900 + model.weightsBytes / 700_000;
}

export function createScheduler(parts: { clock: Clock; firstPid: number }): Scheduler {
  const { clock } = parts;
  const residents = new Map<string, Residence>();
  const loads = createQueue();
  let nextPid = parts.firstPid;

  const end = (resident: Residence): void => {
    resident.end();
    const key = resident.runner.model.blobDigest;
    if (residents.get(key) === resident) residents.delete(key);
  };
  const fitting = (request: RunnerRequest, waitedMs: number): Lease | undefined => {
    const resident = residents.get(request.model.blobDigest);
    if (resident === undefined || !resident.runner.loaded()) return undefined;
    if (!sameOptions(resident.runner.options, request.options)) return undefined;
    return resident.use(request.keepAliveMs, waitedMs + WARM_LOAD_MS);
  };
  const makeRoom = async (request: RunnerRequest): Promise<void> => {
    const old = residents.get(request.model.blobDigest);
    await old?.becomesIdle();
    if (old !== undefined) end(old);
    while (residents.size >= MOST_LOADED_MODELS) {
      const idle = [...residents.values()].filter((resident) => resident.idle());
      const soonest = idle.toSorted((left, right) => left.expiresAt() - right.expiresAt())[0];
      if (soonest === undefined)
        await Promise.race([...residents.values()].map((each) => each.becomesIdle()));
      else end(soonest);
    }
  };
  const start = async (request: RunnerRequest, signal: AbortSignal, waitedMs: number): Promise<Lease> => {
    await makeRoom(request);
    signal.throwIfAborted();
    const runner = createRunner({ pid: nextPid, startedAt: clock.now(), ...request });
    nextPid += 1;
    const resident: Residence = createResidence({
      name: request.name,
      runner,
      clock,
      onExpired: () => end(resident),
    });
    residents.set(request.model.blobDigest, resident);
    const lease = resident.use(request.keepAliveMs, waitedMs + loadMs(request.model));
    try {
      await load(runner, clock, signal);
      return lease;
    } catch (error) {
      end(resident);
      throw error;
    }
  };

  return {
    acquire: async (request, signal) => {
      const loaded = fitting(request, 0);
      if (loaded !== undefined) return loaded;
      if (loads.waiting() >= LONGEST_LOAD_QUEUE) throw new QueueFullError();
      const askedAt = clock.monotonic();
      await loads.enter(signal);
      try {
        const waitedMs = clock.monotonic() - askedAt;
        return fitting(request, waitedMs) ?? (await start(request, signal, waitedMs));
      } finally {
        loads.leave();
      }
    },
    unload: (model) => {
      const resident = residents.get(model.blobDigest);
      if (resident !== undefined) void resident.becomesIdle().then(() => end(resident));
    },
    kill: (model) => {
      const resident = residents.get(model.blobDigest);
      if (resident !== undefined) end(resident);
    },
    residents: () => [...residents.values()],
    close: () => {
      for (const resident of residents.values()) end(resident);
    },
  };
}

/** Memory fills while the file is read. */
async function load(runner: Runner, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let step = 1; step <= LOAD_STEPS; step += 1) {
    await clock.work(loadMs(runner.model) / LOAD_STEPS, signal);
    runner.setLoaded(step / LOAD_STEPS);
  }
}

function sameOptions(left: RunnerOptions, right: RunnerOptions): boolean {
  if (left.contextLength !== right.contextLength || left.shift !== right.shift) return false;
  const names = new Set([...Object.keys(left.others), ...Object.keys(right.others)]);
  return [...names].every((name) => left.others[name] === right.others[name]);
}
