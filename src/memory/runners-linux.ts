import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { RunnerProcess, RunnerSample } from "../types.ts";
import { numberAfter } from "./fields.ts";
import { keepFile, type KeptFile } from "./keptFile.ts";
import { kibibytes } from "./meminfo.ts";
import { createArgumentsReader, readArgumentsNow, type ArgumentsReader } from "./processArguments.ts";
import { isCandidateName, selectOllamaProcesses, type ProcessFacts } from "./runnerProcesses.ts";

/** Finds Ollama's runner processes in `/proc` and measures them. */
export interface RunnerWatch {
  /** The runners' memory now. Scans first when a scan is due or a runner has vanished. */
  read(): RunnerSample[];
  processes(): RunnerProcess[];
  /** Of `ollama serve` and of every runner. */
  pids(): number[];
  /** Looks for processes now, unless that was done a moment ago. */
  rescan(): void;
  /** Grows with every scan. */
  scanCount(): number;
  /** What `ollama serve` hands on to the runners it starts, once it has been read. */
  serverEnvironment(): Readonly<Record<string, string>> | undefined;
  close(): void;
}

interface KnownRunner {
  process: RunnerProcess;
  status: KeptFile;
}

const SCAN_EVERY_MS = 10_000;
/** A scan reads a small file of every process, about a millisecond for a hundred: not more often than this. */
const SCAN_AT_MOST_EVERY_MS = 200;
const AFTER_THE_SCAN_MS = 5;

/** What of a process's environment is wanted; `undefined` when it may not be read. */
export type EnvironmentReader = (pid: number) => Promise<Record<string, string> | undefined>;

/** Scans nothing yet: the first reading does. Without `readEnvironment` no environment is read. */
export function createRunnerWatch(options: {
  procRoot: string;
  monotonic: () => number;
  readEnvironment?: EnvironmentReader;
  /** Read the arguments of processes in the background, so that one that hangs in the kernel holds up nothing. */
  neverBlock?: boolean;
}): RunnerWatch {
  const { procRoot, monotonic } = options;
  const argumentsOf =
    options.neverBlock === true
      ? createArgumentsReader({
          procRoot,
          monotonic,
          // The next reading looks again: it now knows one more.
          onRead: () => (scannedAtMs = Number.NEGATIVE_INFINITY),
        })
      : readArgumentsNow(procRoot);
  const known = new Map<number, KnownRunner>();
  const servers = new Map<number, { environment?: Record<string, string> }>();
  /** Seen to be something else since `othersSinceMs`, so that looking often while a model loads costs little. */
  const others = new Set<number>();
  let othersSinceMs = Number.NEGATIVE_INFINITY;
  let scannedAtMs = Number.NEGATIVE_INFINITY;
  let scans = 0;

  const forget = (pid: number, runner: KnownRunner): void => {
    runner.status.close();
    known.delete(pid);
  };

  /** Not now: a scan may run while a request is being forwarded, and starting a helper takes a millisecond. */
  const readOnce = (pid: number, into: { environment?: Record<string, string> }): void => {
    const { readEnvironment } = options;
    if (readEnvironment === undefined) return;
    setTimeout(() => {
      void readEnvironment(pid).then((environment) => {
        if (environment !== undefined) into.environment = environment;
      });
    }, AFTER_THE_SCAN_MS).unref();
  };

  const scan = (): void => {
    scannedAtMs = monotonic();
    scans += 1;
    if (scannedAtMs - othersSinceMs >= SCAN_EVERY_MS) {
      // A process may become another one, and its number another's.
      others.clear();
      othersSinceMs = scannedAtMs;
    }
    const found = selectOllamaProcesses(
      readCandidates(procRoot, { argumentsOf, others }),
      (pid) => readStat(procRoot, pid)?.parentPid,
    );
    for (const pid of servers.keys()) if (!found.serverPids.includes(pid)) servers.delete(pid);
    for (const pid of found.serverPids) {
      if (servers.has(pid)) continue;
      const server: { environment?: Record<string, string> } = {};
      servers.set(pid, server);
      readOnce(pid, server);
    }
    const current = new Map(found.runners.map((process) => [process.pid, process]));
    for (const [pid, runner] of known) {
      // The number of an ended process is given to another one: only number and start together are one process.
      if (current.get(pid)?.startTicks !== runner.process.startTicks) forget(pid, runner);
    }
    for (const [pid, process] of current) {
      if (known.has(pid)) continue;
      known.set(pid, {
        process,
        status: keepFile(join(procRoot, String(pid), "status"), { reopen: false }),
      });
      readOnce(pid, process.settings);
    }
  };

  const readKnown = (): { samples: RunnerSample[]; vanished: boolean } => {
    const samples: RunnerSample[] = [];
    let vanished = false;
    for (const [pid, runner] of known) {
      const sample = runnerSample(runner);
      if (sample === undefined) {
        forget(pid, runner);
        vanished = true;
      } else samples.push(sample);
    }
    return { samples, vanished };
  };

  return {
    read: () => {
      if (monotonic() - scannedAtMs >= SCAN_EVERY_MS) scan();
      const first = readKnown();
      if (!first.vanished) return first.samples;
      scan(); // One ended: Ollama has probably started another in its place.
      return readKnown().samples;
    },
    processes: () => Array.from(known.values(), (runner) => runner.process),
    pids: () => [...servers.keys(), ...known.keys()],
    rescan: () => {
      if (monotonic() - scannedAtMs >= SCAN_AT_MOST_EVERY_MS) scan();
    },
    scanCount: () => scans,
    serverEnvironment: () =>
      [...servers.values()].findLast(({ environment }) => environment !== undefined)?.environment,
    close: () => {
      for (const [pid, runner] of known) forget(pid, runner);
    },
  };
}

/** `undefined` once the process is gone, or is a zombie: those have no memory lines any more. */
function runnerSample({ process, status }: KnownRunner): RunnerSample | undefined {
  const text = status.read();
  const anonymousBytes = text === undefined ? undefined : kibibytes(text, "RssAnon:");
  if (text === undefined || anonymousBytes === undefined) return undefined;
  return {
    pid: process.pid,
    startedAt: process.startedAt,
    anonymousBytes,
    fileBytes: kibibytes(text, "RssFile:") ?? 0,
    sharedBytes: kibibytes(text, "RssShmem:") ?? 0,
    swappedBytes: kibibytes(text, "VmSwap:") ?? 0,
  };
}

/** Passes over `others` and adds to them. */
function readCandidates(
  procRoot: string,
  { argumentsOf, others }: { argumentsOf: ArgumentsReader; others: Set<number> },
): ProcessFacts[] {
  const candidates: ProcessFacts[] = [];
  let bootedAt: number | undefined;
  for (const name of readdirSync(procRoot)) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    if (others.has(pid)) continue;
    const comm = readText(procRoot, pid, "comm");
    if (comm === undefined) continue;
    if (!isCandidateName(comm)) {
      others.add(pid);
      continue;
    }
    const stat = readStat(procRoot, pid);
    const argv = stat && argumentsOf({ pid, startTicks: stat.startTicks, name: comm });
    if (stat === undefined || argv === undefined) continue;
    bootedAt ??= readBootTime(procRoot);
    candidates.push({
      pid,
      ...stat,
      argv,
      startedAt: bootedAt === undefined ? undefined : bootedAt + stat.startTicks * MS_PER_TICK,
    });
  }
  return candidates;
}

/** The kernel shows times to programs in hundredths of a second on every architecture Node runs on (`USER_HZ`). */
const MS_PER_TICK = 10;

/** Parent and start time from `/proc/PID/stat`. The name in it may hold spaces and brackets: count from its end. */
function readStat(procRoot: string, pid: number): { parentPid: number; startTicks: number } | undefined {
  const text = readText(procRoot, pid, "stat");
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const parentPid = Number(fields[1]);
  const startTicks = Number(fields[19]);
  return Number.isInteger(parentPid) && Number.isInteger(startTicks) ? { parentPid, startTicks } : undefined;
}

function readBootTime(procRoot: string): number | undefined {
  try {
    const seconds = numberAfter(readFileSync(join(procRoot, "stat"), "latin1"), "btime ");
    return seconds === undefined ? undefined : seconds * 1000;
  } catch {
    return undefined;
  }
}

/** Processes end while they are being looked at: that is no error. Arguments are UTF-8. */
function readText(procRoot: string, pid: number, file: string): string | undefined {
  try {
    return readFileSync(join(procRoot, String(pid), file), "utf8");
  } catch {
    return undefined;
  }
}
