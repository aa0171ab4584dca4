/** How much memory V8 may let lie before it tidies up. */
import v8 from "node:v8";

const MIB = 1024 ** 2;
/** Each of the two halves of the young generation. With 4 MiB, answers take 10 % more of a processor. */
const HALF_BYTES = 8 * MIB;
const LOOK_EVERY_MS = 1000;
/** Of the event loop's time. */
const BUSY_RATIO = 0.05;

/**
 * Keeps the heap small. V8 is made for programs that own the machine: while many answers pass, its young generation
 * alone grows past 100 MiB, and is not given back. Set from within and not by Node's own flags, so that every way to
 * start Plimsoll has it; to be called before anything large is loaded, as what has grown does not shrink.
 */
export function keepHeapSmall(): void {
  // The limit itself is fixed when Node starts, but not by how much the young generation grows at a time.
  growYoungGeneration();
  watchYoungGeneration();
  // The old generation is collected when it has grown by this, or by 8 MiB; by default it may double and more.
  v8.setFlagsFromString("--heap-growing-percent=25");
  // Left to threads that get no processor, done compilations pile up, some 25 MiB of them.
  v8.setFlagsFromString("--no-maglev-destroy-on-background");
}

/** It grows once more has survived a collection than it holds; at no other time may it. */
function growYoungGeneration(): void {
  v8.setFlagsFromString("--semi-space-growth-factor=2");
  const kept: number[][] = [];
  // A step is 8 KiB; the end is for a V8 that counts otherwise.
  for (let step = 0; step < 2000 && isTooSmall(); step += 1) {
    kept.push(Array.from({ length: 1000 }, () => step));
  }
  v8.setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * At rest V8 shrinks it to an eighth, which is welcome then; left so, many answers would have it collected eight
 * times as often.
 */
function watchYoungGeneration(): void {
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > BUSY_RATIO && isTooSmall()) {
      growYoungGeneration();
    }
  }, LOOK_EVERY_MS).unref();
}

/** Grown once more, by two, it would still be no larger than it may be. */
function isTooSmall(): boolean {
  const space = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  return space !== undefined && space.space_size * 2 <= 2 * HALF_BYTES;
}
