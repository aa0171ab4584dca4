import type { GpuSample } from "../types.ts";
import { createAmdWatch } from "./gpu-amd.ts";
import { createNvidiaWatch } from "./gpu-nvidia.ts";
import type { SpawnHelper } from "./helperRun.ts";

/** Memory of the graphics cards that can be read cheaply. */
export interface GpuWatch {
  read(): GpuSample[];
  /** Graphics memory of each process, by its number, where that is told. */
  processes(): ReadonlyMap<number, number>;
  problems(): string[];
  /** Tells whether a loaded model uses a device. */
  setDeviceInUse(inUse: boolean): void;
  close(): Promise<void>;
}

/** AMD where there is a `/sys` (Linux), NVIDIA everywhere. Others tell nothing without a vendor's tool. */
export function createGpuWatch(options: {
  sysRoot?: string;
  spawn: SpawnHelper;
  monotonic: () => number;
  /** There is an NVIDIA driver: its cards are looked for at once. */
  hasNvidia?: boolean;
}): GpuWatch {
  const amd = options.sysRoot === undefined ? undefined : createAmdWatch(options.sysRoot);
  const nvidia = createNvidiaWatch({ ...options, lookFirst: options.hasNvidia });
  return {
    read: () => [...(amd?.read() ?? []), ...nvidia.read()],
    processes: nvidia.processes,
    problems: nvidia.problems,
    setDeviceInUse: nvidia.setDeviceInUse,
    close: async () => {
      amd?.close();
      await nvidia.close();
    },
  };
}
