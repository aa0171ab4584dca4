/** Times the usual hand-over of a warm runner, and at least so long. */
const LONGER_THAN_USUAL = 4;
const LEAST_MS = 400;

/**
 * Whether an answer's load duration is one of a load. Above 0 alone it is not: it holds the hand-over of a warm runner
 * (`usualWarmMs`), up to 160 ms on older versions.
 */
export function isLoadDuration(loadMs: number | undefined, usualWarmMs: number | undefined): boolean {
  return (loadMs ?? 0) > Math.max(LEAST_MS, LONGER_THAN_USUAL * (usualWarmMs ?? 0));
}
