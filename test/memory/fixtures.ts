import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { onTestFinished } from "vitest";

/** The text of a file in `test/fixtures`. */
export function fixture(path: string): string {
  return readFileSync(new URL(`../fixtures/${path}`, import.meta.url), "utf8");
}

export const DIGEST = "2526571f9bcfb7b478951aee10e82e2b4f7a9f6d6f8c342ad0f0678b6e0e866d";

/** A folder that plays `/proc` or `/sys` for one test. */
export interface FakeTree {
  root: string;
  write(path: string, text: string): void;
  remove(path: string): void;
  addProcess(process: FakeProcess): void;
}

export interface FakeProcess {
  pid: number;
  parentPid?: number;
  comm: string;
  argv: string[];
  startTicks?: number;
  status?: string;
  cgroup?: string;
}

export function fakeTree(): FakeTree {
  const root = mkdtempSync(join(tmpdir(), "plimsoll-tree-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  return {
    root,
    write,
    remove: (path) => rmSync(join(root, path), { recursive: true, force: true }),
    addProcess: ({ pid, parentPid = 1, comm, argv, startTicks = 4200, status, cgroup }) => {
      write(`${pid}/comm`, `${comm}\n`);
      write(`${pid}/cmdline`, `${argv.join("\0")}\0`);
      const fields = ["S", parentPid, ...Array.from({ length: 17 }, () => 0), startTicks, 0, 0];
      write(`${pid}/stat`, `${pid} (${comm}) ${fields.join(" ")}\n`);
      write(`${pid}/status`, status ?? fixture("memory/runner-status.txt"));
      write(`${pid}/cgroup`, cgroup ?? "0::/\n");
    },
  };
}

/** A clock that moves only when told to. */
export function fakeClock(startMs = 0): { monotonic: () => number; advance(ms: number): void } {
  let nowMs = startMs;
  return {
    monotonic: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}
