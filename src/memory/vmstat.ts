import type { Counters } from "./counters.ts";
import { numberAfter } from "./fields.ts";

/**
 * The counters of `/proc/vmstat` that tell swapping from tidying up.
 * With zswap on, pages go into the compressed pool and `pswpout` does not move: both are counted.
 */
export function parseVmstat(text: string): Counters {
  return {
    swapOutPages: sum(numberAfter(text, "pswpout "), numberAfter(text, "zswpout ")),
    swapInPages: sum(numberAfter(text, "pswpin "), numberAfter(text, "zswpin ")),
    refaultPages: numberAfter(text, "workingset_refault_file ") ?? numberAfter(text, "workingset_refault "),
    kswapdScanPages: numberAfter(text, "pgscan_kswapd "),
  };
}

/** A kernel without zswap has no zswap counters; one without swap has neither. */
function sum(swapped: number | undefined, compressed: number | undefined): number | undefined {
  return swapped === undefined && compressed === undefined ? undefined : (swapped ?? 0) + (compressed ?? 0);
}
