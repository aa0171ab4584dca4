import type { ChildProcess } from "node:child_process";

import { createLineReader } from "./lines.ts";

/** Starts a helper program with its standard output as a pipe. */
export type SpawnHelper = (command: string, args: readonly string[]) => HelperProcess;

/** The part of a child process that is used here. */
export type HelperProcess = Pick<ChildProcess, "stdout" | "once" | "kill" | "unref">;

export interface HelperRunOptions {
  command: string;
  args: readonly string[];
  spawn: SpawnHelper;
  onLine: (line: string) => void;
  /** A program that says nothing for this long hangs, and is ended. */
  silentMs: number;
}

/** One run of a helper program. */
export interface HelperRun {
  /** Ends the program and resolves once it is gone. No line and no end is reported any more. */
  kill(): Promise<void>;
}

/** Longest wait for a killed program: one stuck in the kernel must not hold up our own end. */
const LONGEST_GOODBYE_MS = 1000;

/**
 * Runs a program until it ends, and says once why it did (`installed` is false when there is no such program).
 * Throws what `spawn` throws. The program does not keep our own process alive.
 */
export function runHelper(
  options: HelperRunOptions,
  onEnd: (reason: string, installed: boolean) => void,
): HelperRun {
  const child = options.spawn(options.command, options.args);
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  let over = false;
  let hung = false;
  let silence: NodeJS.Timeout | undefined;

  const listenForSilence = (): void => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, options.silentMs);
    silence.unref();
  };
  const end = (reason: string, installed: boolean): void => {
    clearTimeout(silence);
    resolve();
    if (over) return;
    over = true;
    onEnd(hung ? `said nothing for ${options.silentMs / 1000} s` : reason, installed);
  };

  child.once("error", (error: NodeJS.ErrnoException) => {
    const installed = error.code !== "ENOENT";
    end(installed ? `failed (${error.message})` : "is not installed", installed);
  });
  child.once("exit", (code, signal) => {
    end(`ended (${signal === null ? `exit code ${code}` : `signal ${signal}`})`, true);
  });
  listenForSilence();
  const accept = createLineReader((line) => {
    if (over) return;
    listenForSilence();
    options.onLine(line);
  });
  child.stdout?.setEncoding("utf8").on("data", accept);
  releaseFromLoop(child);

  return {
    kill: async () => {
      over = true;
      clearTimeout(silence);
      child.kill("SIGKILL");
      const goodbye = setTimeout(resolve, LONGEST_GOODBYE_MS);
      await gone;
      clearTimeout(goodbye);
    },
  };
}

/** Both the process and its pipe (a socket, whatever the types say) would keep our own process alive. */
function releaseFromLoop(child: HelperProcess): void {
  child.unref();
  const pipe: { unref?: () => unknown } | null = child.stdout as { unref?: () => unknown } | null;
  pipe?.unref?.();
}
