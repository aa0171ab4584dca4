import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  createArgumentsReader,
  readArgumentsNow,
  type ProcessKey,
} from "../../src/memory/processArguments.ts";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const key = (pid: number, more: Partial<ProcessKey> = {}): ProcessKey => ({
  pid,
  startTicks: 1,
  name: "ollama",
  ...more,
});

it("reads at once, and nothing of a process that is gone", () => {
  const procRoot = mkdtempSync(join(tmpdir(), "plimsoll-arguments-"));
  folders.push(procRoot);
  mkdirSync(join(procRoot, "7"));
  writeFileSync(join(procRoot, "7", "cmdline"), "/usr/bin/ollama\0serve\0");
  const read = readArgumentsNow(procRoot);
  expect(read(key(7))).toEqual(["/usr/bin/ollama", "serve"]);
  expect(read(key(8))).toBeUndefined();
});

describe("in the background", () => {
  /** A kernel that answers when told to. */
  function kernel() {
    let nowMs = 0;
    let news = 0;
    const waiting = new Map<string, (text: string) => void>();
    const asked: string[] = [];
    const read = createArgumentsReader({
      procRoot: "/proc",
      monotonic: () => nowMs,
      onRead: () => (news += 1),
      read: (path) => {
        asked.push(path);
        return new Promise((resolve) => waiting.set(path, resolve));
      },
    });
    return {
      read,
      asked,
      news: () => news,
      pass: (ms: number) => (nowMs += ms),
      async answers(pid: number, text: string) {
        waiting.get(`/proc/${pid}/cmdline`)?.(text);
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  }

  it("a process is unknown until it answers, and then is told of", async () => {
    const { read, answers, news } = kernel();
    expect(read(key(1))).toBeUndefined();
    expect(news()).toBe(0);
    await answers(1, "ollama\0serve\0");
    expect(news()).toBe(1);
    expect(read(key(1))).toEqual(["ollama", "serve"]);
  });

  it("one that hangs is asked once, and keeps no other from being read", async () => {
    const { read, asked, answers } = kernel();
    for (let round = 0; round < 5; round += 1) {
      expect(read(key(1))).toBeUndefined();
      read(key(2));
    }
    await answers(2, "b\0");
    expect(read(key(2))).toEqual(["b"]);
    expect(asked.filter((path) => path.includes("/1/"))).toHaveLength(1);
  });

  it("never more than two at once, so that files can still be read when several hang", () => {
    const { read, asked } = kernel();
    for (let pid = 1; pid <= 6; pid += 1) read(key(pid));
    expect(asked).toHaveLength(2);
  });

  it("one just started is read again, since it may still carry its parent's arguments; a settled one is not", async () => {
    const { read, asked, answers, pass, news } = kernel();
    read(key(1));
    await answers(1, "ollama\0serve\0");
    pass(3000);
    read(key(1));
    await answers(1, "ollama\0runner\0");
    expect(news()).toBe(2);
    expect(read(key(1))).toEqual(["ollama", "runner"]);
    pass(60_000);
    read(key(1));
    expect(asked).toHaveLength(2);
  });

  it("another start or name under the same number is another process", async () => {
    const { read, answers } = kernel();
    read(key(1));
    await answers(1, "a\0");
    expect(read(key(1, { startTicks: 2 }))).toBeUndefined();
    expect(read(key(1, { name: "llama-server" }))).toBeUndefined();
    expect(read(key(1))).toEqual(["a"]);
  });
});
