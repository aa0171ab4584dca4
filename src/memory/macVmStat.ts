/** One line of `vm_stat 1`, in bytes. */
export interface VmStatLine {
  /** N of XNU's rule: pages that can be had without compressing or swapping. */
  reusableBytes: number;
  /** What the compressor's pool occupies. */
  compressorBytes: number;
  /** Memory that programs and the system hold: anonymous without purgeable, wired, and the compressor's pool. */
  heldBytes: number;
  anonymousBytes: number;
  /** Since the line before; absent on lines that count since boot. */
  swappedInBytes?: number;
  swappedOutBytes?: number;
}

/**
 * Reads the output of macOS' `vm_stat 1`, line by line: `undefined` for titles, headers and what is no reading.
 *
 * Columns are found by their names, pages by the size in the title (16 KiB on Apple silicon). A number too wide for its
 * column ends in K, M or G, and those are thousands. The title is repeated every 21 lines, and `vm_stat` forgets its
 * last counts when it prints it: the line that follows counts since boot, and would look like gigabytes swapped at once.
 */
export function createVmStatParser(): (line: string) => VmStatLine | undefined {
  let pageBytes: number | undefined;
  let columns: string[] = [];
  let sinceBoot = true;
  return (line) => {
    const size = /page size of (\d+) bytes/.exec(line)?.[1];
    if (size !== undefined) {
      pageBytes = Number(size);
      return undefined;
    }
    const words = line.trim().split(/\s+/);
    if (words.includes("active") && words.includes("wired")) {
      columns = words;
      sinceBoot = true;
      return undefined;
    }
    if (pageBytes === undefined || words.length !== columns.length) return undefined;
    const reading = toLine(columnsToBytes(columns, words, pageBytes), sinceBoot);
    sinceBoot = false;
    return reading;
  };
}

function columnsToBytes(columns: readonly string[], words: readonly string[], pageBytes: number) {
  const bytes = new Map<string, number>();
  for (const [index, name] of columns.entries()) {
    const pages = pageCount(words[index] ?? "");
    if (pages !== undefined) bytes.set(name, pages * pageBytes);
  }
  return bytes;
}

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, K: 1e3, M: 1e6, G: 1e9 };

function pageCount(word: string): number | undefined {
  const match = /^(\d+)([KMG]?)$/.exec(word);
  return match === null ? undefined : Number(match[1]) * (SUFFIXES[match[2] ?? ""] ?? 1);
}

function toLine(bytes: ReadonlyMap<string, number>, sinceBoot: boolean): VmStatLine | undefined {
  const levels = ["free", "active", "specul", "inactive", "wired", "prgable", "anonymous", "cmprssor"].map(
    (name) => bytes.get(name),
  );
  if (!levels.every((level) => level !== undefined)) return undefined;
  const [
    free = 0,
    active = 0,
    speculative = 0,
    inactive = 0,
    wired = 0,
    purgeable = 0,
    anonymous = 0,
    pool = 0,
  ] = levels;
  return {
    reusableBytes: active + inactive + free + speculative,
    compressorBytes: pool,
    heldBytes: Math.max(0, anonymous - purgeable) + wired + pool,
    anonymousBytes: anonymous,
    swappedInBytes: sinceBoot ? undefined : bytes.get("swapins"),
    swappedOutBytes: sinceBoot ? undefined : bytes.get("swapouts"),
  };
}
