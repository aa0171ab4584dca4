/**
 * A small program kept running from the start that does one thing for each message written to it. Starting a program
 * from a large process is the first thing that stalls when memory is short; a shell of two megabytes still manages.
 */
import type { ChildProcess } from "node:child_process";
import { DeliveryError } from "./channel.ts";

/** Starts a program with pipes for input and output, as the leader of a process group of its own. */
export type SpawnProgram = (
  command: string,
  args: readonly string[],
  environment?: Record<string, string>,
) => Pick<ChildProcess, "stdin" | "stdout" | "once" | "unref" | "pid" | "kill">;

export interface LineHelper {
  start(): void;
  /** Writes the lines and resolves with the exit code that the helper reports as `done CODE`. */
  send(lines: readonly string[], signal: AbortSignal): Promise<number>;
  close(): void;
}

/** Its answers are a few bytes; what is longer is not one. */
const LONGEST_ANSWER = 1024;

/** Started again at the next message after it ended. One message at a time. */
export function createLineHelper(parts: {
  name: string;
  command: string;
  args: readonly string[];
  spawn: SpawnProgram;
  /** Ends a process and all that it started. */
  killGroup(pid: number): void;
}): LineHelper {
  type Child = ReturnType<SpawnProgram>;
  let child: Child | undefined;
  let answered: ((code: number) => void) | undefined;
  let failed: ((error: DeliveryError) => void) | undefined;

  const lose = (lost: Child, reason: string): void => {
    if (child === lost) {
      child = undefined;
      failed?.(new DeliveryError(reason, true));
    }
  };

  const launch = (): Child => {
    const started = parts.spawn(parts.command, parts.args);
    started.once("error", (error: NodeJS.ErrnoException) =>
      lose(started, `${parts.name} cannot be started (${error.code ?? "unknown"})`),
    );
    started.once("exit", () => lose(started, `${parts.name} ended`));
    // Writing to one that has just ended is told by `exit`.
    started.stdin?.on("error", () => {});
    let rest = "";
    started.stdout?.setEncoding("utf8").on("data", (text: string) => {
      rest = (rest + text).slice(-LONGEST_ANSWER);
      const match = /^done (\d{1,3})\r?\n/m.exec(rest);
      if (match !== null) {
        rest = "";
        answered?.(Number(match[1]));
      }
    });
    started.unref();
    for (const pipe of [started.stdin, started.stdout] as ({ unref?: () => void } | null)[]) {
      pipe?.unref?.();
    }
    return started;
  };

  const stop = (): void => {
    const ending = child;
    child = undefined;
    if (ending?.pid !== undefined) {
      parts.killGroup(ending.pid);
    }
  };

  return {
    start: () => {
      child ??= launch();
    },
    send: (lines, signal) =>
      new Promise<number>((resolve, reject) => {
        child ??= launch();
        const giveUp = (): void => {
          stop();
          reject(new DeliveryError(`${parts.name} did not finish in time and was ended`, false));
        };
        answered = resolve;
        failed = reject;
        signal.addEventListener("abort", giveUp, { once: true });
        child.stdin?.write(`${lines.join("\n")}\n`);
      }).finally(() => {
        answered = undefined;
        failed = undefined;
      }),
    close: stop,
  };
}
