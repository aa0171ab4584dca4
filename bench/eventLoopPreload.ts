/**
 * Watches the event loop of the process it is loaded into (`node --import`). At SIGUSR2 it writes what it saw since the
 * last time to the file that BENCH_EVENT_LOOP_FILE names, and starts anew.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";
import type { EventLoopDelay } from "./machine/eventLoop.ts";

/** The watcher is a timer of this period; Node's figures contain it. */
const RESOLUTION_MS = 2;

const file = process.env["BENCH_EVENT_LOOP_FILE"];
if (isMainThread && file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  process.on("SIGUSR2", () => {
    const overMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const delay: EventLoopDelay = {
      p50Ms: overMs(histogram.percentile(50)),
      p99Ms: overMs(histogram.percentile(99)),
      maxMs: overMs(histogram.max),
    };
    histogram.reset();
    writeFileSync(`${file}.part`, JSON.stringify(delay));
    renameSync(`${file}.part`, file);
  });
}
