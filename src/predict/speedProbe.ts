/** Memory bandwidth from copying large blocks, for machines whose chip says nothing about its memory. */
import { median } from "./quantile.ts";

/** One copy of a block by one thread. */
export interface CopyPass {
  bytes: number;
  ms: number;
}

/** A copy reads each byte and writes it. */
const TRAFFIC_PER_BYTE = 2;
/** First passes fault pages in and wake the clock. */
const WARM_UP = 1;

/**
 * Bytes per second that all threads together moved: each one's median pass, summed, because they ran at the same time.
 * Copy blocks of at least four times the last-level cache (256 MiB is safe) on as many threads as there are performance
 * cores, for about 2 s. Undefined when no thread made more than its warm-up.
 */
export function bandwidthFromCopies(threads: readonly (readonly CopyPass[])[]): number | undefined {
  const rates = threads.map((passes) =>
    median(
      passes
        .slice(WARM_UP)
        .filter(({ bytes, ms }) => bytes > 0 && ms > 0)
        .map(({ bytes, ms }) => (bytes * TRAFFIC_PER_BYTE * 1000) / ms),
    ),
  );
  const known = rates.filter((rate) => rate !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, rate) => sum + rate, 0);
}
