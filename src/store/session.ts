import { fileURLToPath } from "node:url";
import type { RecorderHealth } from "../types.ts";
import type { StoreOptions } from "./api.ts";
import type { Asks } from "./asks.ts";
import { createAsks } from "./asks.ts";
import { watchClock } from "./clockWatch.ts";
import type { FromWorker } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { createOutbox } from "./outbox.ts";
import type { Queue } from "./queue.ts";
import { createQueue } from "./queue.ts";
import { StoreRefusal } from "./refusal.ts";
import { startThread } from "./thread.ts";

/** The main thread's side of the recorder: what waits for the worker, and how the worker is. */
export interface Session {
  queue: Queue;
  outbox: Outbox;
  ask: Asks["ask"];
  /** Settles when it is known whether anything will be recorded; rejects with a StoreRefusal. */
  started: Promise<void>;
  /** Nothing is recorded any more: closed, or given up. */
  isOff(): boolean;
  health(): RecorderHealth;
  close(): Promise<void>;
}

/** The emitted program lies one folder deeper than its source. */
const packageMigrations = new URL(
  import.meta.url.endsWith(".ts") ? "../../migrations/" : "../../../migrations/",
  import.meta.url,
);

/** A batch that waits longer: the disk does not answer, and the page says so. */
const stalledAfterMs = 2000;
/** The program starts without its record rather than later than this. */
const openLimitMs = 5000;
/** And ends, with rows lost, rather than later than this. */
const closeLimitMs = 5000;
const retentionIntervalMs = 60_000;

/** Starts the worker thread and keeps it. */
export function startSession(options: StoreOptions): Session {
  const { dataDir, now, monotonic, log } = options;
  const { promise: started, resolve, reject } = Promise.withResolvers<void>();
  const openTimer = setTimeout(resolve, openLimitMs);
  void started.catch(() => undefined).finally(() => clearTimeout(openTimer));

  const notices = new Set<string>();
  let isOpen = false;
  let deathProblem: string | undefined;
  let offProblem: string | undefined;
  let closing: Promise<void> | undefined;

  const thread = startThread({
    settings: (firstStart) => ({
      dataDir,
      migrationsDir: options.migrationsDir ?? fileURLToPath(packageMigrations),
      pragmas: options.pragmas ?? [],
      retention: options.retention,
      at: now(),
      firstStart,
    }),
    onMessage,
    onDeath,
  });
  const queue = createQueue(options.queueLimit ?? 10_000);
  const outbox = createOutbox({
    queue,
    monotonic,
    post: (number, batch) => thread.post({ type: "write", number, batch, at: now() }),
  });
  const asks = createAsks((number, question) => thread.post({ type: "ask", number, question, at: now() }));
  const clock = watchClock(now, monotonic);
  const retentionTimer = setInterval(() => {
    if (clock.isSteady() && !isHanging()) thread.post({ type: "retain", at: now() });
  }, retentionIntervalMs).unref();

  /** A question has waited in vain for the record to be opened: the start must not wait so long for each of them. */
  let openingHangs = false;

  function onMessage(message: FromWorker): void {
    switch (message.type) {
      case "opened":
        isOpen = true;
        deathProblem = undefined;
        outbox.push();
        return resolve();
      case "written":
        // A disk that was full at the opening is known to be open by this.
        isOpen = true;
        deathProblem = undefined;
        if (outbox.problem() !== undefined) log.info("Recording goes on", { rows: outbox.pending() });
        thread.worked();
        return outbox.written(message);
      case "unwritten":
        if (outbox.problem() === undefined) log.error("Recording has stalled", { problem: message.problem });
        outbox.unwritten(message);
        return resolve();
      case "answer":
      case "unanswered":
        thread.worked();
        return asks.settle(message);
      case "notice":
        notices.add(message.problem);
        return log.warn(message.problem);
      case "log":
        return log.warn(message.message, message.fields);
      case "refused":
        reject(new StoreRefusal(message.code, message.message));
        // Whoever opened it is told by the rejection, and ends.
        return giveUp(message.message, () => {});
      case "unusable":
        resolve();
        return giveUp(message.problem);
    }
  }

  function onDeath(reason: string): void {
    isOpen = false;
    deathProblem = `The recorder's thread died (${reason}) and is started again.`;
    if (dataDir === ":memory:") notices.add("The recorder's thread died; what was kept in memory is lost.");
    log.error(deathProblem);
    outbox.died();
    asks.failAll(deathProblem);
    resolve();
  }

  function giveUp(problem: string, tell = () => log.error("Recording is off", { problem })): void {
    offProblem = problem;
    tell();
    clearInterval(retentionTimer);
    outbox.giveUp();
    asks.failAll(problem);
    void thread.stop(closeLimitMs);
  }

  function isHanging(): boolean {
    return (outbox.waitingMs() ?? 0) > stalledAfterMs && !asks.awaitsSlowAnswer();
  }

  function trouble(): string | undefined {
    if (outbox.problem() !== undefined) return outbox.problem();
    if (deathProblem !== undefined) return deathProblem;
    if (isHanging()) return `The disk of ${dataDir} has not answered for ${seconds(outbox.waitingMs())} s.`;
    return isOpen ? undefined : `The record in ${dataDir} is still being opened.`;
  }

  function health(): RecorderHealth {
    const counts = { pending: outbox.pending(), dropped: outbox.dropped() };
    if (offProblem !== undefined) return { state: "off", ...counts, problem: offProblem };
    const current = trouble();
    const problems = [current, ...notices].filter((problem) => problem !== undefined);
    return {
      state: current !== undefined ? "stalled" : dataDir === ":memory:" ? "memory" : "on",
      ...counts,
      ...(problems.length > 0 && { problem: problems.join(" ") }),
    };
  }

  async function close(): Promise<void> {
    clearInterval(retentionTimer);
    if (offProblem === undefined) await outbox.flush(closeLimitMs);
    await thread.stop(closeLimitMs);
    if (outbox.pending() > 0) log.error("Rows were lost at the end", { rows: outbox.pending() });
    offProblem ??= "The recorder is closed.";
    outbox.giveUp();
    asks.failAll(offProblem);
  }

  return {
    queue,
    outbox,
    ask: (...question) => {
      // A question to a thread that hangs would only lie in its mailbox after everyone has stopped waiting.
      if (isHanging() || (!isOpen && openingHangs)) return Promise.reject(new Error(trouble()));
      return asks.ask(...question).catch((error: unknown) => {
        openingHangs = !isOpen;
        throw error;
      });
    },
    started,
    isOff: () => offProblem !== undefined,
    health,
    close: () => (closing ??= close()),
  };
}

function seconds(durationMs: number | undefined): number {
  return Math.round((durationMs ?? 0) / 1000);
}
