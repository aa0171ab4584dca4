import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { bandwidthFromCopies, type CopyPass } from "../predict/speedProbe.ts";

export interface BandwidthProbe {
  /** Undefined when no thread came round to more than its warm-up. */
  bytesPerSecond?: number;
  threadCount: number;
  /** Taken for the time of the measurement. */
  bytesTaken: number;
}

export interface BandwidthProbeOptions {
  forMs?: number;
  threadCount?: number;
  /** Copied from, by all threads together. */
  sourceBytes?: number;
  /** 0 to 1, some times a second. */
  onProgress?: (ratio: number) => void;
  signal?: AbortSignal;
}

const MIB = 1024 ** 2;
/** Eight times the last-level cache of most machines: what fits a cache says nothing of memory. */
const SOURCE_BYTES = 256 * MIB;
/** Enough to use up the memory of a desktop; more would only take more of it. */
const MOST_THREADS = 8;
const FOR_MS = 2000;
const PROGRESS_MS = 100;
/** Threads that fault in their pages under pressure take long; one that hangs must not hang the caller. */
const PATIENCE_MS = 30_000;

const WORKER_URL = new URL(
  import.meta.url.endsWith(".ts") ? "./bandwidthWorker.ts" : "./bandwidthWorker.js",
  import.meta.url,
);

/** Memory that a measurement with these options takes: a source and a target. */
export function probeBytes({ sourceBytes = SOURCE_BYTES }: BandwidthProbeOptions = {}): number {
  return 2 * sourceBytes;
}

/**
 * Copies large blocks on several threads at once for two seconds and tells how many bytes a second went through memory.
 * Throws when a thread fails (no memory), does not answer, or the signal aborts; threads and blocks are gone then.
 */
export async function measureBandwidth(options: BandwidthProbeOptions = {}): Promise<BandwidthProbe> {
  const { forMs = FOR_MS, sourceBytes = SOURCE_BYTES, onProgress, signal } = options;
  const threadCount = options.threadCount ?? Math.min(MOST_THREADS, availableParallelism());
  signal?.throwIfAborted();
  const blockBytes = Math.max(MIB, Math.floor(sourceBytes / threadCount));
  const workers = Array.from(
    { length: threadCount },
    () => new Worker(WORKER_URL, { workerData: { blockBytes, forMs } }),
  );
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
  const abort = (): void => giveUp(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const patience = setTimeout(
    () => giveUp(new Error(`measuring took longer than ${PATIENCE_MS / 1000} s`)),
    PATIENCE_MS + forMs,
  );
  let progress: NodeJS.Timeout | undefined;
  try {
    await Promise.race([given, Promise.all(workers.map((worker) => messageOf(worker)))]);
    const began = performance.now();
    progress = setInterval(() => onProgress?.(Math.min(1, (performance.now() - began) / forMs)), PROGRESS_MS);
    const passes = workers.map((worker) => messageOf(worker));
    for (const worker of workers) worker.postMessage("go");
    const copied = (await Promise.race([given, Promise.all(passes)])) as CopyPass[][];
    onProgress?.(1);
    return {
      bytesPerSecond: bandwidthFromCopies(copied),
      threadCount,
      bytesTaken: 2 * blockBytes * threadCount,
    };
  } finally {
    clearInterval(progress);
    clearTimeout(patience);
    signal?.removeEventListener("abort", abort);
    given.catch(() => {});
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function messageOf(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}
