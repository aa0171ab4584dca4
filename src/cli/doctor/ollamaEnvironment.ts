/** The environment that `ollama serve` was started with, from whichever place shows it. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export interface OllamaEnvironment {
  variables: Record<string, string>;
  /** Where they were read, or why they were not. */
  source: string;
  /** False: what is not listed may be set all the same. */
  complete: boolean;
}

export type RunProgram = (command: string, args: string[]) => Promise<string>;

const run = promisify(execFile);
export const runProgram: RunProgram = async (command, args) =>
  (await run(command, args, { timeout: 3000, maxBuffer: 1024 * 1024, windowsHide: true })).stdout;

export async function readOllamaEnvironment(
  platform: NodeJS.Platform,
  ask: RunProgram,
  procRoot = "/proc",
): Promise<OllamaEnvironment> {
  if (platform === "linux") {
    const fromProcess = readProcess(procRoot);
    if (fromProcess?.variables !== undefined) {
      const { pid, variables } = fromProcess;
      return { variables, source: `environment of ollama serve (process ${pid})`, complete: true };
    }
    const unit = await ask("systemctl", ["show", "ollama.service", "--property=Environment,LoadState"]).catch(
      () => "",
    );
    if (unit.includes("LoadState=loaded")) {
      return {
        variables: parseUnitEnvironment(unit),
        source: "systemd unit ollama.service",
        complete: false,
      };
    }
    return {
      variables: {},
      complete: false,
      source:
        fromProcess === undefined
          ? "no ollama serve is visible here"
          : `environment of ollama serve (process ${fromProcess.pid}) belongs to another user`,
    };
  }
  if (platform === "darwin") {
    const entries = await Promise.all(
      NAMES.map(
        async (name) => [name, (await ask("launchctl", ["getenv", name]).catch(() => "")).trim()] as const,
      ),
    );
    return {
      variables: Object.fromEntries(entries.filter(([, value]) => value !== "")),
      source: "launchctl getenv",
      complete: false,
    };
  }
  if (platform === "win32") {
    const text = await ask("reg", ["query", "HKCU\\Environment"]).catch(() => "");
    return { variables: parseRegistry(text), source: "environment of this user", complete: false };
  }
  return { variables: {}, source: `not known on ${platform}`, complete: false };
}

/** What is worth knowing; anything else, such as keys, is not even looked at. */
const NAMES = [
  "OLLAMA_HOST",
  "OLLAMA_ORIGINS",
  "OLLAMA_CONTEXT_LENGTH",
  "OLLAMA_NUM_PARALLEL",
  "OLLAMA_MAX_LOADED_MODELS",
  "OLLAMA_KEEP_ALIVE",
  "OLLAMA_KV_CACHE_TYPE",
  "OLLAMA_FLASH_ATTENTION",
  "OLLAMA_GPU_OVERHEAD",
  "LLAMA_ARG_CACHE_RAM",
  "LLAMA_ARG_CTX_CHECKPOINTS",
];

function wanted(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...entries].filter(([name]) => NAMES.includes(name)));
}

function readProcess(procRoot: string): { pid: number; variables?: Record<string, string> } | undefined {
  for (const name of readdirSync(procRoot).filter((entry) => /^\d+$/.test(entry))) {
    // The short name first: reading the arguments of every process could wait for one that is being replaced.
    if (!readText(join(procRoot, name, "comm"))?.startsWith("ollama")) continue;
    if (readText(join(procRoot, name, "cmdline"))?.split("\0")[1] !== "serve") continue;
    const text = readText(join(procRoot, name, "environ"));
    const pid = Number(name);
    return text === undefined ? { pid } : { pid, variables: wanted(text.split("\0").map(parted)) };
  }
  return undefined;
}

function parted(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** `Environment=A=1 "B=two words"`: words as systemd prints them, quoted where they hold blanks. */
export function parseUnitEnvironment(text: string): Record<string, string> {
  const line = /^Environment=(.*)$/m.exec(text)?.[1] ?? "";
  const words = line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g);
  return wanted(
    Array.from(words, ([, quoted, plain = ""]) => parted(quoted?.replace(/\\(.)/g, "$1") ?? plain)),
  );
}

/** `    OLLAMA_HOST    REG_SZ    0.0.0.0` */
export function parseRegistry(text: string): Record<string, string> {
  const lines = text.matchAll(/^\s+(\w+)\s+REG_(?:EXPAND_)?SZ\s+(.*?)\r?$/gm);
  return wanted(Array.from(lines, ([, name = "", value = ""]) => [name, value] as const));
}
