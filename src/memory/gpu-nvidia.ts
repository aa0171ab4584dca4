import type { GpuSample } from "../types.ts";
import { createHelper } from "./helper.ts";
import type { SpawnHelper } from "./helperRun.ts";

export interface NvidiaWatch {
  read(): GpuSample[];
  problems(): string[];
  setDeviceInUse(inUse: boolean): void;
  close(): Promise<void>;
}

const FIELDS = "uuid,name,memory.total,memory.used";
const EVERY_SECONDS = 2;
/** Without persistence mode the driver takes seconds a card to wake up at the first query. */
const SILENT_MS = 60_000;
const STALE_MS = 10_000;

/**
 * NVIDIA cards, through one `nvidia-smi` that repeats itself. It runs only while a loaded model uses a device: on an
 * idle machine every query wakes the card. Where it is not installed there is nothing to see, and that is no problem.
 */
export function createNvidiaWatch(options: { spawn: SpawnHelper; monotonic: () => number }): NvidiaWatch {
  const { monotonic } = options;
  const cards = new Map<string, { sample: GpuSample; atMs: number }>();
  const helper = createHelper({
    ...options,
    name: "nvidia-smi",
    command: "nvidia-smi",
    args: [`--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits", "-l", String(EVERY_SECONDS)],
    silentMs: SILENT_MS,
    optional: true,
    onLine: (line) => {
      const sample = parseNvidiaLine(line);
      if (sample !== undefined) cards.set(sample.id, { sample, atMs: monotonic() });
    },
  });
  const stop = async (): Promise<void> => {
    await helper.stop();
    cards.clear();
  };
  return {
    read: () =>
      [...cards.values()].filter(({ atMs }) => monotonic() - atMs < STALE_MS).map(({ sample }) => sample),
    problems: () => [helper.problem()].filter((problem) => problem !== undefined),
    setDeviceInUse: (inUse) => {
      if (inUse) helper.start();
      else void stop();
    },
    close: stop,
  };
}

const MEBIBYTE = 1024 * 1024;

/** A line of the query: `GPU-…, NVIDIA GeForce RTX 4090, 24564, 3127`, in MiB; `[N/A]` is absent. */
export function parseNvidiaLine(line: string): GpuSample | undefined {
  const [id = "", name = "", total = "", used = ""] = line.split(",").map((cell) => cell.trim());
  if (!/^(GPU|MIG)-/.test(id)) return undefined;
  return {
    id,
    vendor: "nvidia",
    name: name || undefined,
    totalBytes: mebibytes(total),
    usedBytes: mebibytes(used),
  };
}

function mebibytes(cell: string): number | undefined {
  return /^\d+$/.test(cell) ? Number(cell) * MEBIBYTE : undefined;
}
