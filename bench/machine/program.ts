/** A target's process: started, waited for until it takes connections, stopped. */
import { spawn, type ChildProcess } from "node:child_process";
import { accepts } from "./port.ts";

export interface ProgramParts {
  command: string;
  args: readonly string[];
  port: number;
  environment?: Record<string, string>;
  directory?: string;
}

export interface Program {
  pid: number;
  stop(): Promise<void>;
}

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 3000;
/** Enough of what a program said to explain why it did not start. */
const SAID_LIMIT = 2000;

export async function startProgram(parts: ProgramParts): Promise<Program> {
  const child = spawn(parts.command, parts.args, {
    cwd: parts.directory,
    env: { ...inheritedEnvironment(), ...parts.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = endOf(child);
  let said = "";
  const listen = (bytes: Buffer): void => {
    said = (said + bytes.toString()).slice(-SAID_LIMIT);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);

  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await accepts(parts.port))) {
    const failure = end.reason() ?? (Date.now() > deadline ? "does not listen after 20 s" : undefined);
    if (failure !== undefined) {
      child.kill("SIGKILL");
      throw new Error(`${failure}; it said: ${said.trim() || "nothing"}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { pid: child.pid ?? 0, stop: () => stop(child, end.whenEnded) };
}

/** Nothing that would change what a Node target does, and no settings of the user's own Plimsoll. */
function inheritedEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(NODE_|PLIMSOLL_|npm_)/.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

function endOf(child: ChildProcess): { reason(): string | undefined; whenEnded: Promise<void> } {
  let reason: string | undefined;
  const whenEnded = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      reason = error.message;
      resolve();
    });
    child.once("exit", (code, signal) => {
      reason = `ended with ${signal ?? `status ${code}`}`;
      resolve();
    });
  });
  return { reason: () => reason, whenEnded };
}

async function stop(child: ChildProcess, whenEnded: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await whenEnded;
  clearTimeout(timer);
}
