/**
 * Loaded into the process that is soaked (`node --expose-gc --import`), and by that into its threads. At SIGUSR2 all
 * of them collect garbage, and what is left is written to the file that SOAK_HEAP_FILE names: how far V8 lets garbage
 * pile up before it is worth its while says nothing about what is kept.
 */
import { renameSync, writeFileSync } from "node:fs";
import { BroadcastChannel, isMainThread } from "node:worker_threads";

export interface KeptMemory {
  rssBytes: number;
  heapUsedBytes: number;
}

/** What the other threads have for it. */
const THREADS_COLLECT_MS = 300;

const file = process.env["SOAK_HEAP_FILE"];
const channel = new BroadcastChannel("soak-collect");
channel.unref();

/** This kind gives pages back to the system too. */
const collect = (): void => {
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
};

if (!isMainThread) {
  channel.onmessage = collect;
} else if (file !== undefined) {
  process.on("SIGUSR2", () => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel between threads has no origin
    channel.postMessage("collect");
    setTimeout(() => {
      collect();
      const { rss, heapUsed } = process.memoryUsage();
      const kept: KeptMemory = { rssBytes: rss, heapUsedBytes: heapUsed };
      writeFileSync(`${file}.part`, JSON.stringify(kept));
      renameSync(`${file}.part`, file);
    }, THREADS_COLLECT_MS);
  });
}
