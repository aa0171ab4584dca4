/** `plimsoll predict --measure-bandwidth`: two seconds of copying, and the figure kept in the record. */
import os from "node:os";
import type { Config } from "../config.ts";
import { measureBandwidth, probeBytes } from "../memory/bandwidthProbe.ts";
import { createMemorySource } from "../memory/source.ts";
import { BANDWIDTH_KEY, type MeasuredBandwidth } from "../predictions/bandwidth.ts";
import { saveSettingAside } from "../store/aside.ts";
import { openStore } from "../store/client.ts";
import { StoreRefusal } from "../store/refusal.ts";
import type { Log } from "../types.ts";

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
const GIB = 1024 ** 3;

/** Throws when there is too little memory for it, or when the record cannot keep the figure. */
export async function measureAndKeep(where: { config: Config; dataDir: string }): Promise<MeasuredBandwidth> {
  await requireHeadroom();
  const steady = process.stderr.isTTY;
  process.stderr.write(`Measuring memory bandwidth for 2 s${steady ? "" : " …\n"}`);
  const probe = await measureBandwidth({
    onProgress: (ratio) => {
      if (steady) process.stderr.write(`\rMeasuring memory bandwidth for 2 s  ${Math.round(ratio * 100)} %`);
    },
  });
  if (steady) process.stderr.write("\n");
  if (probe.bytesPerSecond === undefined) {
    throw new Error("memory bandwidth could not be measured: no block was copied twice within the time");
  }
  const measured: MeasuredBandwidth = {
    bytesPerSecond: Math.round(probe.bytesPerSecond),
    measuredAt: Date.now(),
    threadCount: probe.threadCount,
    machine: os.hostname(),
  };
  await keep(where, JSON.stringify(measured));
  return measured;
}

export function printBandwidth({ bytesPerSecond, threadCount }: MeasuredBandwidth): string {
  const threads = threadCount === 1 ? "one thread" : `${threadCount} threads`;
  return `This machine moves ${(bytesPerSecond / 1e9).toFixed(1)} GB/s through its memory, copying on ${threads}.
Kept in the record: predictions of tok/s use it from now on, those of a running Plimsoll within a minute.
`;
}

/** The measurement must not itself push the machine into swap. */
async function requireHeadroom(): Promise<void> {
  const source = createMemorySource({
    platform: process.platform,
    upstreamIsLocal: true,
    now: () => Date.now(),
    monotonic: () => performance.now(),
  });
  try {
    const headroomBytes = source.read()?.headroomBytes;
    const needBytes = 2 * probeBytes();
    if (headroomBytes !== undefined && headroomBytes < needBytes) {
      throw new Error(
        `measuring takes ${probeBytes() / GIB} GiB for 2 s, and only ${(headroomBytes / GIB).toFixed(2)} GiB are left before swap: unload a model first (ollama stop MODEL)`,
      );
    }
  } finally {
    await source.close();
  }
}

/** Through the store where nobody else has it open, else beside the instance that has, which looks again by itself. */
async function keep({ config, dataDir }: { config: Config; dataDir: string }, text: string): Promise<void> {
  try {
    const store = await openStore({
      dataDir,
      now: () => Date.now(),
      monotonic: () => performance.now(),
      log: SILENT,
      retention: config.retention,
    });
    try {
      const { state, problem } = store.health();
      if (state !== "on") {
        throw new Error(problem ?? `the record in ${dataDir} is ${state}`);
      }
      await store.saveSetting(BANDWIDTH_KEY, text);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreRefusal && error.code === "locked")) {
      throw error;
    }
    saveSettingAside(dataDir, BANDWIDTH_KEY, text);
  }
}
