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
  const swapTotalBytes = kibibytes(text, "SwapTotal:");
  const swapFreeBytes = kibibytes(text, "SwapFree:");
  return {
    totalBytes: kibibytes(text, "MemTotal:"),
    availableBytes: kibibytes(text, "MemAvailable:"),
    anonymousBytes: kibibytes(text, "AnonPages:"),
    mappedBytes: kibibytes(text, "Mapped:"),
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
