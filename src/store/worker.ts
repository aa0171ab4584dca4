import { pid } from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { answer } from "./answers.ts";
import { describe, failureKind } from "./failures.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";
import { createRecorder } from "./recorder.ts";
import { StoreRefusal } from "./refusal.ts";
import { retentionJobs } from "./retention.ts";

// The thread that owns the database. SQLite is synchronous, and the moment its disk is slow is the moment the machine
// swaps: here it can wait without any chunk waiting for it.

const port = parentPort;
if (port === null) throw new Error("store/worker.ts runs as a worker thread of store/client.ts only.");

const settings = workerData as WorkerSettings;
const recorder = createRecorder(settings, {
  holder: pid,
  notice: (problem) => post({ type: "notice", problem }),
});
let isCleaning = false;

function post(message: FromWorker): void {
  port?.postMessage(message);
}

function handle(message: ToWorker): void {
  switch (message.type) {
    case "write":
      return attempt(() => ({
        type: "written",
        rejected: recorder.use(message.at, ({ write }) => write(message.batch)),
      }));
    case "ask":
      return reply(message);
    case "retain":
      return clean(message.at);
    case "close":
      return close();
  }
}

function attempt(work: () => FromWorker): void {
  try {
    post(work());
  } catch (error) {
    post(failureMessage(error));
  }
}

function failureMessage(error: unknown): FromWorker {
  if (error instanceof StoreRefusal) return { type: "refused", code: error.code, message: error.message };
  if (failureKind(error) === "unusable") return { type: "unusable", problem: describe(error) };
  return { type: "unwritten", problem: problemOf(error) };
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
  if (isCleaning) return;
  isCleaning = true;
  const jobs = retentionJobs(at, settings.retention);
  const step = (): void => {
    const [job] = jobs;
    if (job === undefined) {
      isCleaning = false;
      return;
    }
    try {
      if (!recorder.use(at, ({ database }) => job(database))) jobs.shift();
    } catch (error) {
      jobs.length = 0;
      post({ type: "log", level: "warn", message: "Old rows could not be cleared away", fields: { error: describe(error) } });
    }
    setImmediate(step);
  };
  step();
}

function close(): void {
  recorder.close();
  port?.close();
}

port.on("message", handle);
attempt(() => recorder.use(settings.at, () => ({ type: "opened" })));
