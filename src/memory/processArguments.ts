import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** One process: the same number with another start is another one, and a program may replace itself by another. */
export interface ProcessKey {
  pid: number;
  startTicks: number;
  /** As in `comm`. */
  name: string;
}

/** The arguments of a process; `undefined` when it is gone, or not read yet. */
export type ArgumentsReader = (process: ProcessKey) => string[] | undefined;

/** Reads at once. The kernel makes the reader wait while the process maps memory, which a load does for seconds. */
export function readArgumentsNow(procRoot: string): ArgumentsReader {
  return ({ pid }) => {
    try {
      return parted(readFileSync(join(procRoot, String(pid), "cmdline"), "utf8"));
    } catch {
      return undefined;
    }
  };
}

/** Until then a process may still be its parent's double, with its parent's arguments. */
const SETTLED_AFTER_MS = 2000;
/** Of the four threads that Node reads files with; a read that hangs keeps its thread. */
const MOST_AT_ONCE = 2;
const MOST_KEPT = 256;

interface Kept {
  argv?: string[];
  seenAtMs: number;
  reading: boolean;
  settled: boolean;
}

/**
 * Reads in the background, each process until its arguments are settled, so that one that hangs in the kernel holds up
 * nobody: it is not known until it answers. `onRead` is called when there is something new.
 */
export function createArgumentsReader(options: {
  procRoot: string;
  monotonic: () => number;
  onRead: () => void;
  read?: (path: string) => Promise<string>;
}): ArgumentsReader {
  const { procRoot, monotonic, onRead, read = (path: string) => readFile(path, "utf8") } = options;
  const kept = new Map<string, Kept>();
  let reading = 0;

  const begin = (path: string, entry: Kept): void => {
    reading += 1;
    entry.reading = true;
    const startedMs = monotonic();
    read(path)
      .then((text) => {
        const before = entry.argv?.join("\0");
        entry.argv = parted(text);
        entry.settled = startedMs - entry.seenAtMs >= SETTLED_AFTER_MS;
        if (entry.argv.join("\0") !== before) onRead();
      })
      .catch(() => undefined)
      .finally(() => {
        entry.reading = false;
        reading -= 1;
      });
  };

  return ({ pid, startTicks, name }) => {
    const key = `${pid} ${startTicks} ${name}`;
    const entry = kept.get(key) ?? { seenAtMs: monotonic(), reading: false, settled: false };
    kept.delete(key);
    kept.set(key, entry);
    const eldest = kept.keys().next().value;
    if (kept.size > MOST_KEPT && eldest !== undefined) kept.delete(eldest);
    if (!entry.settled && !entry.reading && reading < MOST_AT_ONCE)
      begin(join(procRoot, String(pid), "cmdline"), entry);
    return entry.argv;
  };
}

function parted(text: string): string[] {
  return text.replace(/\0$/, "").split("\0");
}
