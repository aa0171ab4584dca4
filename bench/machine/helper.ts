/** A process of the bench's own (driver, mock) that answers commands. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Commands, Reply } from "../wire/commands.ts";

export interface Helper<Known extends Commands> {
  pid: number;
  /** Asks and waits for the answer. Rejects with the helper's own message, when it ends, or after `limitMs`. */
  ask<Name extends keyof Known & string>(
    name: Name,
    input: Parameters<Known[Name]>[0],
    limitMs?: number,
  ): Promise<Awaited<ReturnType<Known[Name]>>>;
  stop(): Promise<void>;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const DEFAULT_LIMIT_MS = 120_000;

/** `script` is relative to `bench/`. */
export function startHelper<Known extends Commands>(script: string): Helper<Known> {
  const child = fork(fileURLToPath(new URL(`../${script}`, import.meta.url)), {
    serialization: "advanced",
    execArgv: [],
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  child.on("message", (reply: Reply) => {
    const asker = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ("error" in reply) {
      asker?.reject(new Error(reply.error));
    } else {
      asker?.resolve(reply.value);
    }
  });
  const whenEnded = new Promise<void>((resolve) => {
    child.once("exit", (code) => {
      waiting.forEach((asker) => asker.reject(new Error(`${script} ended with status ${code}`)));
      waiting.clear();
      resolve();
    });
  });

  return {
    pid: child.pid ?? 0,
    ask(name, input, limitMs = DEFAULT_LIMIT_MS) {
      const id = nextId++;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`no answer within ${limitMs / 1000} s`));
        }, limitMs);
        const settled = <Value>(then: (value: Value) => void) => {
          return (value: Value): void => {
            clearTimeout(timer);
            then(value);
          };
        };
        waiting.set(id, { resolve: settled(resolve as (value: unknown) => void), reject: settled(reject) });
        child.send({ id, command: name, input });
      });
    },
    async stop() {
      child.kill("SIGKILL");
      await whenEnded;
    },
  };
}
