import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";

/** The auxiliary vector's entry for the page size (`AT_PAGESZ`, elf(5)). */
const PAGE_SIZE_ENTRY = 6n;
const ENTRY_BYTES = 16;
const USUAL_PAGE_BYTES = 4096;

/**
 * The kernel's page size, from the auxiliary vector of our own process. 16 KiB and 64 KiB kernels exist on arm64, and
 * every counter of `/proc/vmstat` is in these pages. 4096 when the vector cannot be read.
 */
export function readPageBytes(procRoot: string): number {
  try {
    return pageBytesOf(readFileSync(join(procRoot, "self/auxv"))) ?? USUAL_PAGE_BYTES;
  } catch {
    return USUAL_PAGE_BYTES;
  }
}

/** Finds `AT_PAGESZ` in an auxiliary vector of a 64-bit process: pairs of 64-bit words in the machine's byte order. */
export function pageBytesOf(vector: Buffer, byteOrder: "LE" | "BE" = endianness()): number | undefined {
  const word = (at: number): bigint =>
    byteOrder === "LE" ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at);
  for (let at = 0; at + ENTRY_BYTES <= vector.length; at += ENTRY_BYTES) {
    if (word(at) === PAGE_SIZE_ENTRY) return Number(word(at + 8));
  }
  return undefined;
}
