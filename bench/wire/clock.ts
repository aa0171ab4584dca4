/**
 * The one clock of a run: milliseconds of CLOCK_MONOTONIC, which every process of one host shares, so that a time
 * taken where a chunk is sent can be subtracted from one taken where it arrives.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
