import { numberAfter } from "./fields.ts";

/** What is taken of `/proc/meminfo`, in bytes. A figure the kernel does not give is absent; a 0 it gives is a 0. */
export interface Meminfo {
  totalBytes?: number;
  availableBytes?: number;
  anonymousBytes?: number;
  mappedBytes?: number;
  swapTotalBytes?: number;
  swapUsedBytes?: number;
}

/** Reads `/proc/meminfo`. Its "kB" are 1024 bytes. */
export function parseMeminfo(text: string): Meminfo {
  return meminfoOf((name) => kibibytes(text, `${name}:`));
}

/** From wherever the kernel's names lead to bytes: the file itself, or a recording of it. */
export function meminfoOf(bytesOf: (name: string) => number | undefined): Meminfo {
  const swapTotalBytes = bytesOf("SwapTotal");
  const swapFreeBytes = bytesOf("SwapFree");
  return {
    totalBytes: bytesOf("MemTotal"),
    availableBytes: bytesOf("MemAvailable"),
    anonymousBytes: bytesOf("AnonPages"),
    mappedBytes: bytesOf("Mapped"),
    swapTotalBytes,
    swapUsedBytes:
      swapTotalBytes === undefined || swapFreeBytes === undefined
        ? undefined
        : Math.max(0, swapTotalBytes - swapFreeBytes),
  };
}

/** A "kB" line of `/proc/meminfo` or `/proc/PID/status`, in bytes. */
export function kibibytes(text: string, label: string): number | undefined {
  const value = numberAfter(text, label);
  return value === undefined ? undefined : value * 1024;
}
