/** Bytes on the host and on the device, in whole bytes. */
import type { Split } from "../types.ts";

/** Bytes in host and in device memory, rounded to whole bytes at the end of a sum. */
export function splitOf(hostBytes: number, deviceBytes: number): Split {
  return { hostBytes: Math.round(hostBytes), deviceBytes: Math.round(deviceBytes) };
}

export function addSplits(left: Split, right: Split): Split {
  return splitOf(left.hostBytes + right.hostBytes, left.deviceBytes + right.deviceBytes);
}

/** 0 for a part that is not known. */
export function splitTotal(split: Split | undefined): number {
  return split === undefined ? 0 : split.hostBytes + split.deviceBytes;
}
