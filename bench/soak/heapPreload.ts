/**
 * Loaded into the process that is soaked (`node --expose-gc --import`). At SIGUSR2 it collects garbage and writes what
 * is left to the file that SOAK_HEAP_FILE names: how far V8 lets garbage pile up before it is worth its while says
 * nothing about what is kept.
 */
import { renameSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

export interface KeptMemory {
  rssBytes: number;
  heapUsedBytes: number;
}

const file = process.env["SOAK_HEAP_FILE"];
if (isMainThread && file !== undefined) {
  process.on("SIGUSR2", () => {
    // This kind gives pages back to the system too.
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    const { rss, heapUsed } = process.memoryUsage();
    const kept: KeptMemory = { rssBytes: rss, heapUsedBytes: heapUsed };
    writeFileSync(`${file}.part`, JSON.stringify(kept));
    renameSync(`${file}.part`, file);
  });
}
