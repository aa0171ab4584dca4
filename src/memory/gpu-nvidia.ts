import type { GpuSample } from "../types.ts";
import { createHelper } from "./helper.ts";
import type { SpawnHelper } from "./helperRun.ts";

export interface NvidiaWatch {
  /** Every card that was ever seen; what is used of it only while that is fresh. */
  read(): GpuSample[];
  /** Graphics memory of each process, where the driver tells it and the figure is fresh. */
  processes(): ReadonlyMap<number, number>;
  problems(): string[];
  setDeviceInUse(inUse: boolean): void;
  close(): Promise<void>;
}

const CARD_FIELDS = "uuid,name,memory.total,memory.used";
const PROCESS_FIELDS = "pid,used_memory";
const EVERY_SECONDS = 2;
/** Without persistence mode the driver takes seconds a card to wake up at the first query. */
const SILENT_MS = 60_000;
/** A process that ended is listed no more, and then nothing is printed at all. */
const PROCESSES_SILENT_MS = 24 * 3_600_000;
const STALE_MS = 10_000;
/** All cards are printed together. */
const FIRST_LOOK_MS = 1000;

/**
 * NVIDIA cards, through `nvidia-smi` that repeats itself. Where there is a driver, one look at the start tells which
 * cards there are, because whether a model fits depends on them; after that it runs only while a loaded model uses a device: on an idle machine
 * every query wakes the card. Where it is not installed there is nothing to see, and that is no problem.
 */
export function createNvidiaWatch(options: {
  spawn: SpawnHelper;
  monotonic: () => number;
  /** There is a driver: look which cards there are. */
  lookFirst?: boolean;
}): NvidiaWatch {
  const { monotonic } = options;
  const cards = new Map<string, { sample: GpuSample; atMs: number }>();
  const used = new Map<number, { bytes: number; atMs: number }>();
  let inUse = false;
  let firstLook: NodeJS.Timeout | undefined;
  const isFresh = ({ atMs }: { atMs: number }): boolean => monotonic() - atMs < STALE_MS;
  const helper = (fields: string, silentMs: number, onLine: (line: string) => void) =>
    createHelper({
      ...options,
      name: "nvidia-smi",
      command: "nvidia-smi",
      args: [`--query-${fields}`, "--format=csv,noheader,nounits", "-l", String(EVERY_SECONDS)],
      silentMs,
      optional: true,
      onLine,
    });
  const cardHelper = helper(`gpu=${CARD_FIELDS}`, SILENT_MS, (line) => {
    const sample = parseNvidiaLine(line);
    if (sample === undefined) return;
    cards.set(sample.id, { sample, atMs: monotonic() });
    if (inUse) processHelper.start();
    else firstLook ??= setTimeout(() => void stopUnlessInUse(), FIRST_LOOK_MS).unref();
  });
  const processHelper = helper(`compute-apps=${PROCESS_FIELDS}`, PROCESSES_SILENT_MS, (line) => {
    const process = parseNvidiaProcess(line);
    if (process !== undefined) used.set(process.pid, { bytes: process.bytes, atMs: monotonic() });
  });
  const stop = async (): Promise<void> => {
    clearTimeout(firstLook);
    await Promise.all([cardHelper.stop(), processHelper.stop()]);
  };
  const stopUnlessInUse = async (): Promise<void> => {
    if (!inUse) await stop();
  };

  if (options.lookFirst === true) cardHelper.start();
  return {
    read: () => [...cards.values()].map((card) => (isFresh(card) ? card.sample : withoutUse(card.sample))),
    processes: () =>
      new Map([...used].filter(([, process]) => isFresh(process)).map(([pid, { bytes }]) => [pid, bytes])),
    problems: () =>
      [...new Set([cardHelper.problem(), processHelper.problem()])].filter(
        (problem) => problem !== undefined,
      ),
    setDeviceInUse: (now) => {
      if (now === inUse) return;
      inUse = now;
      if (now) {
        cardHelper.start();
        // Without a card, or without the program, there is nothing to ask.
        if (cards.size > 0) processHelper.start();
      } else {
        void stop();
      }
    },
    close: stop,
  };
}

function withoutUse(sample: GpuSample): GpuSample {
  const card = { ...sample };
  delete card.usedBytes;
  return card;
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

/** A line of the query by process: `6149, 2938`, in MiB. Windows says `[N/A]` for the memory. */
function parseNvidiaProcess(line: string): { pid: number; bytes: number } | undefined {
  const match = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(line);
  return match === null ? undefined : { pid: Number(match[1]), bytes: Number(match[2]) * MEBIBYTE };
}

function mebibytes(cell: string): number | undefined {
  return /^\d+$/.test(cell) ? Number(cell) * MEBIBYTE : undefined;
}
