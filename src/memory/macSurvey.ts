import type { RunnerProcess } from "../types.ts";
import { splitPsCommand } from "./commandLine.ts";
import { createHelper, type Helper } from "./helper.ts";
import type { SpawnHelper } from "./helperRun.ts";
import { selectOllamaProcesses, type ProcessFacts } from "./runnerProcesses.ts";

/** Swap and Ollama's processes on a Mac, seen every few seconds. */
export interface MacSurvey extends Helper {
  swap(): SwapUse;
  runners(): { process: RunnerProcess; residentBytes: number }[];
}

export interface SwapUse {
  swapTotalBytes?: number;
  swapUsedBytes?: number;
}

/**
 * One shell that looks every five seconds at swap and every ten at processes. It lives as long as we do, because a
 * program start from our own, larger process costs more, and most when memory is short.
 */
const SCRIPT = `while :; do
sysctl vm.swapusage
echo "processes:"
ps -axwwo pid=,ppid=,rss=,lstart=,command= | grep -E "[o]llama|[l]lama-server"
echo "end"
sleep 5
sysctl vm.swapusage
sleep 5
done`;

const SILENT_MS = 30_000;
/** Processes with a fitting name; more than these are left out. */
const LONGEST_LISTING = 256;

/** Starts nothing yet: it is a helper, to be started and stopped. */
export function createMacSurvey(options: { spawn: SpawnHelper; monotonic: () => number }): MacSurvey {
  let swap: SwapUse = {};
  let runners: { process: RunnerProcess; residentBytes: number }[] = [];
  let listing: PsLine[] | undefined;

  const helper = createHelper({
    name: "the shell loop that looks at swap and processes",
    command: "/bin/sh",
    args: ["-c", SCRIPT],
    ...options,
    silentMs: SILENT_MS,
    onLine: (line) => {
      if (line.startsWith("vm.swapusage")) swap = parseSwapUse(line);
      else if (line === "processes:") listing = [];
      else if (line === "end") {
        runners = selectRunners(listing ?? []);
        listing = undefined;
      } else {
        const process = parsePsLine(line);
        if (process !== undefined && listing !== undefined && listing.length < LONGEST_LISTING) {
          listing.push(process);
        }
      }
    },
  });
  // What was seen before it stopped may be long over.
  const isUp = (): boolean => helper.problem() === undefined;
  return { ...helper, swap: () => (isUp() ? swap : {}), runners: () => (isUp() ? runners : []) };
}

/** `vm.swapusage: total = 2048.00M  used = 1024.50M  free = …`, in mebibytes. */
export function parseSwapUse(line: string): SwapUse {
  const bytes = (name: string): number | undefined => {
    // Some locales write a comma, should `LC_ALL` ever not reach the program.
    const text = new RegExp(`${name} = ([\\d.,]+)M`).exec(line)?.[1]?.replace(",", ".");
    return text === undefined ? undefined : Math.round(Number(text) * 1024 * 1024);
  };
  return { swapTotalBytes: bytes("total"), swapUsedBytes: bytes("used") };
}

export interface PsLine extends ProcessFacts {
  residentBytes: number;
}

/** A line of `ps -o pid=,ppid=,rss=,lstart=,command=`: kibibytes, and a start like `Fri Nov 21 09:26:00 2025`. */
export function parsePsLine(line: string): PsLine | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+\w{3}\s+(\w{3}\s+\d+\s+[\d:]{8}\s+\d{4})\s+(.+)$/.exec(line);
  if (match === null) return undefined;
  const [, pid, parentPid, kibibytes, started = "", command = ""] = match;
  const startedAt = Date.parse(started);
  return {
    pid: Number(pid),
    parentPid: Number(parentPid),
    startedAt: Number.isNaN(startedAt) ? undefined : startedAt,
    argv: splitPsCommand(command),
    residentBytes: Number(kibibytes) * 1024,
  };
}

function selectRunners(lines: readonly PsLine[]): { process: RunnerProcess; residentBytes: number }[] {
  const byPid = new Map(lines.map((line) => [line.pid, line]));
  return selectOllamaProcesses(lines, (pid) => byPid.get(pid)?.parentPid).runners.map((process) => ({
    process,
    residentBytes: byPid.get(process.pid)?.residentBytes ?? 0,
  }));
}
