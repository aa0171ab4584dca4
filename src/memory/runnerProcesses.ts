import type { RunnerProcess } from "../types.ts";
import { parseRunnerArguments, programName } from "./runnerArguments.ts";

/** What any system tells of a process that may be Ollama's. */
export interface ProcessFacts {
  pid: number;
  parentPid?: number;
  argv: string[];
  startTicks?: number;
  startedAt?: number;
}

/** Ollama's own processes among some candidates. */
export interface OllamaProcesses {
  /** `ollama serve`: its group's limit is where the next runner will live. */
  serverPids: number[];
  runners: RunnerProcess[];
}

/**
 * Tells Ollama's runners from everything else with a like name.
 *
 * A runner has a `--model` (without one it is a short-lived probe) and either descends from an `ollama serve` or is
 * Ollama's own binary at work on one of Ollama's blobs. A `llama-server` needs the parent: people run their own, and
 * may well point it at a blob.
 */
export function selectOllamaProcesses(
  candidates: readonly ProcessFacts[],
  parentOf: (pid: number) => number | undefined,
): OllamaProcesses {
  const servers = new Set<number>();
  for (const { pid, argv } of candidates) if (roleOf(argv) === "server") servers.add(pid);

  const runners: RunnerProcess[] = [];
  for (const candidate of candidates) {
    const role = roleOf(candidate.argv);
    if (role === undefined || role === "server") continue;
    const { modelPath, blobDigest, port: _port, ...settings } = parseRunnerArguments(candidate.argv);
    if (modelPath === undefined) continue;
    const provenByBlob = role === "runner" && blobDigest !== undefined;
    if (!provenByBlob && !descendsFrom(candidate.parentPid, servers, parentOf)) continue;
    runners.push({
      pid: candidate.pid,
      startTicks: candidate.startTicks,
      parentPid: candidate.parentPid,
      startedAt: candidate.startedAt,
      blobDigest,
      modelPath,
      argv: candidate.argv,
      settings,
    });
  }
  return { serverPids: [...servers], runners };
}

/** Whether a process name is worth a closer look. Linux cuts it to 15 characters: `ollama_llama_se`. */
export function isCandidateName(name: string): boolean {
  return name.startsWith("ollama") || name.startsWith("llama-server");
}

type Role = "server" | "runner" | "llama-server";

function roleOf(argv: readonly string[]): Role | undefined {
  const program = programName(argv[0]);
  if (program.startsWith("llama-server")) return "llama-server";
  // v0.2 to v0.5.1 had a runner binary of their own.
  if (program.startsWith("ollama_llama_server")) return "runner";
  if (!program.startsWith("ollama")) return undefined;
  if (argv[1] === "serve") return "server";
  return argv[1] === "runner" ? "runner" : undefined;
}

/** Deeper than any real chain of wrappers; a table of processes read piece by piece can even hold a circle. */
const LONGEST_CHAIN = 32;

function descendsFrom(
  parentPid: number | undefined,
  servers: ReadonlySet<number>,
  parentOf: (pid: number) => number | undefined,
): boolean {
  let pid = parentPid;
  for (let step = 0; step < LONGEST_CHAIN && pid !== undefined && pid > 0; step += 1) {
    if (servers.has(pid)) return true;
    pid = parentOf(pid);
  }
  return false;
}
