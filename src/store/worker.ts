import { pid } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { answer } from "./answers.ts";
import { describe, failureKind } from "./failures.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";
import { createRecorder } from "./recorder.ts";
import { StoreRefusal } from "./refusal.ts";
import type { RetentionJob } from "./retention.ts";
import { retentionJobs } from "./retention.ts";

// The thread that owns the database. SQLite is synchronous, and the moment its disk is slow is the moment the machine
// swaps: here it can wait without any chunk waiting for it.

const port = parentPort;
if (port === null) throw new Error("store/worker.ts runs as a worker thread of store/thread.ts only.");

const settings = workerData as WorkerSettings;
const recorder = createRecorder(settings, {
  holder: pid,
  notice: (problem) => post({ type: "notice", problem }),
  rejected: tellOnce,
});
const toldReasons = new Set<string>();
/** What is left of the clean-up that is going on. */
let jobs: RetentionJob[] = [];

function post(message: FromWorker): void {
  port?.postMessage(message);
}

/** A row that is wrong is seldom the only one: each reason is said once, and the rows are counted. */
function tellOnce(reason: string): void {
  if (toldReasons.has(reason) || toldReasons.size >= 20) return;
  toldReasons.add(reason);
  post({ type: "log", message: "A row was left out of the record", fields: { reason } });
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case "write":
      return write(message);
    case "ask":
      return reply(message);
    case "retain":
      return clean(message.at);
    case "close":
      return close();
  }
}

function open(): void {
  try {
    recorder.use(settings.at, () => undefined);
    post({ type: "opened" });
  } catch (error) {
    post(failureMessage(error, 0));
  }
}

function write({ number, batch, at }: Extract<ToWorker, { type: "write" }>): void {
  try {
    post({ type: "written", number, rejected: recorder.use(at, (connection) => connection.write(batch)) });
  } catch (error) {
    post(failureMessage(error, number));
  }
}

function failureMessage(error: unknown, number: number): FromWorker {
  if (error instanceof StoreRefusal) return { type: "refused", code: error.code, message: error.message };
  if (failureKind(error) === "unusable") return { type: "unusable", problem: describe(error) };
  return { type: "unwritten", number, problem: problemOf(error) };
}

function problemOf(error: unknown): string {
  const reason = describe(error);
  const { dataDir } = settings;
  switch (failureKind(error)) {
    case "full":
      return `The disk of ${dataDir} is full (${reason}). Free some space: recording then goes on by itself.`;
    case "busy":
      return `Another program keeps the record in ${dataDir} locked (${reason}). Close it: recording then goes on by itself.`;
    default:
      return `The record in ${dataDir} cannot be written (${reason}). Trying again.`;
  }
}

function reply({ number, question, at }: Extract<ToWorker, { type: "ask" }>): void {
  try {
    const context = { at, retention: settings.retention };
    const value = recorder.use(at, ({ database }) => answer(database, question, context));
    post({ type: "answer", number, answer: value });
  } catch (error) {
    post({ type: "unanswered", number, message: describe(error), badCursor: error instanceof RangeError });
  }
}

/** Clears away what is too old, one small transaction at a time, with everything else that waits in between. */
function clean(at: number): void {
  if (jobs.length > 0) return;
  jobs = retentionJobs(at, settings.retention);
  cleanOne(at);
}

function cleanOne(at: number): void {
  const [job] = jobs;
  if (job === undefined) return;
  try {
    const hasMore = recorder.use(at, ({ database }) => job(database));
    if (!hasMore) jobs.shift();
  } catch (error) {
    jobs = [];
    post({ type: "log", message: "Old rows could not be cleared away", fields: { error: describe(error) } });
  }
  setImmediate(cleanOne, at);
}

function close(): void {
  jobs = [];
  recorder.close();
  port?.close();
}

port.on("message", handle);
open();
