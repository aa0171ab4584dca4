import { EventEmitter } from "node:events";
import { PassThrough } from "node:stream";

import type { HelperProcess, SpawnHelper } from "../../src/memory/helperRun.ts";

/** A program that a test speaks for. */
export interface FakeProgram {
  command: string;
  args: readonly string[];
  print(text: string): void;
  /** It ends by itself. */
  end(code?: number): void;
  fail(code: string): void;
  killed: boolean;
}

/** Stands in for starting programs; `stubborn` ones do not end when killed. */
export function fakeSpawn({ stubborn = false } = {}): {
  spawn: SpawnHelper;
  programs: FakeProgram[];
  latest(command?: string): FakeProgram;
} {
  const programs: FakeProgram[] = [];
  const spawn: SpawnHelper = (command, args) => {
    const events = new EventEmitter();
    const stdout = new PassThrough();
    const program: FakeProgram = {
      command,
      args,
      killed: false,
      print: (text) => void stdout.write(text),
      end: (code = 0) => void events.emit("exit", code, null),
      fail: (code) =>
        void events.emit("error", Object.assign(new Error(`spawn ${command} ${code}`), { code })),
    };
    const child = Object.assign(events, {
      stdout,
      unref: () => {},
      kill: () => {
        program.killed = true;
        if (!stubborn) queueMicrotask(() => events.emit("exit", null, "SIGKILL"));
        return true;
      },
    }) as unknown as HelperProcess;
    programs.push(program);
    return child;
  };
  return {
    spawn,
    programs,
    latest: (command) => {
      const program = programs.findLast((each) => command === undefined || each.command === command);
      if (program === undefined) throw new Error(`${command ?? "nothing"} was not started`);
      return program;
    },
  };
}
