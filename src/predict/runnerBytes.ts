/** What a runner has of the host's memory, from one reading of its process. */
import type { RunnerSample } from "../types.ts";

type Pages = Pick<RunnerSample, "anonymousBytes" | "fileBytes" | "sharedBytes" | "swappedBytes">;

/** In memory now (Linux' `VmRSS`). */
export function residentBytes(runner: Omit<Pages, "swappedBytes">): number {
  return runner.anonymousBytes + runner.fileBytes + runner.sharedBytes;
}

/** All that it took: what was pushed out to swap is still its own. */
export function takenBytes(runner: Pages): number {
  return residentBytes(runner) + runner.swappedBytes;
}

/** What comes back for certain when it is unloaded; 0 when nothing was measured. Shared memory may have another holder. */
export function freedBytes(runner: Pick<Pages, "anonymousBytes" | "fileBytes"> | undefined): number {
  return runner === undefined ? 0 : runner.anonymousBytes + runner.fileBytes;
}
